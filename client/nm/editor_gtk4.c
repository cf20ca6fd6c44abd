#include "config.h"

#include "client/nm/editor.h"

void editor_gtk_append(GtkWidget *box, GtkWidget *child)
{
	gtk_box_append(GTK_BOX(box), child);
}

GtkWidget *editor_gtk_scroll(GtkWidget *child)
{
	GtkWidget *scrolled = gtk_scrolled_window_new();

	gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), child);
	return scrolled;
}

GtkWidget *editor_gtk_fold(const char *title, GtkWidget *child)
{
	GtkWidget *expander = gtk_expander_new(title);

	gtk_expander_set_child(GTK_EXPANDER(expander), child);
	return expander;
}

GtkWidget *editor_gtk_combo_entry(GtkWidget *combo)
{
	return gtk_combo_box_get_child(GTK_COMBO_BOX(combo));
}

GtkWindow *editor_gtk_window(GtkWidget *widget)
{
	GtkRoot *root = gtk_widget_get_root(widget);

	return GTK_IS_WINDOW(root) ? GTK_WINDOW(root) : NULL;
}

/* Everything is visible from the start. */
void editor_gtk_show(GtkWidget *widget)
{
	gtk_widget_set_visible(widget, TRUE);
}

void editor_gtk_set_shown(GtkWidget *widget, gboolean shown)
{
	gtk_widget_set_visible(widget, shown);
}
