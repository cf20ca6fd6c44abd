/* The page of a connection in nm-connection-editor (GTK 3) and GNOME's
 * settings (GTK 4): editor.c is compiled once for each, and what differs is
 * in editor_gtk3.c and editor_gtk4.c. */
#ifndef CLIENT_NM_EDITOR_H
#define CLIENT_NM_EDITOR_H

#include <NetworkManager.h>
#include <gtk/gtk.h>

#include "client/nm/editor_host.h"

/* Puts child into a box, below what is there. */
void editor_gtk_append(GtkWidget *box, GtkWidget *child);
/* child with a bar where it is too high. */
GtkWidget *editor_gtk_scroll(GtkWidget *child);
/* A line that unfolds child. */
GtkWidget *editor_gtk_fold(const char *title, GtkWidget *child);
/* The text field of a list that also takes what is not in it. */
GtkWidget *editor_gtk_combo_entry(GtkWidget *combo);
/* The window that it is in; NULL: none. */
GtkWindow *editor_gtk_window(GtkWidget *widget);
/* All in it is visible. */
void editor_gtk_show(GtkWidget *widget);
/* Visible or not, whatever the window around it shows of itself. */
void editor_gtk_set_shown(GtkWidget *widget, gboolean shown);

#endif
