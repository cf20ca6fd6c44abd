#include "config.h"

#include "client/nm/editor.h"

void editor_gtk_append(GtkWidget *box, GtkWidget *child)
{
	gtk_box_pack_start(GTK_BOX(box), child, FALSE, TRUE, 0);
}

GtkWidget *editor_gtk_scroll(GtkWidget *child)
{
	GtkWidget *scrolled = gtk_scrolled_window_new(NULL, NULL);

	gtk_container_add(GTK_CONTAINER(scrolled), child);
	return scrolled;
}

GtkWidget *editor_gtk_fold(const char *title, GtkWidget *child)
{
	GtkWidget *expander = gtk_expander_new(title);

	gtk_container_add(GTK_CONTAINER(expander), child);
	return expander;
}

GtkWidget *editor_gtk_combo_entry(GtkWidget *combo)
{
	return gtk_bin_get_child(GTK_BIN(combo));
}

GtkWindow *editor_gtk_window(GtkWidget *widget)
{
	GtkWidget *top = gtk_widget_get_toplevel(widget);

	return GTK_IS_WINDOW(top) ? GTK_WINDOW(top) : NULL;
}

void editor_gtk_show(GtkWidget *widget)
{
	gtk_widget_show_all(widget);
}

void editor_gtk_set_shown(GtkWidget *widget, gboolean shown)
{
	gtk_widget_set_no_show_all(widget, TRUE);
	gtk_widget_set_visible(widget, shown);
}
