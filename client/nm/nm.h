/* Names that NetworkManager, our service, editor and dialog share. */
#ifndef CLIENT_NM_NM_H
#define CLIENT_NM_NM_H

#define NM_VPC_SERVICE "org.freedesktop.NetworkManager.vpn-connect"

/* The one secret: the password, or the pre-shared key. */
#define NM_VPC_SECRET	    "password"
#define NM_VPC_SECRET_FLAGS "password-flags"
/* A hint to the dialog: what is stored was not accepted. */
#define NM_VPC_RETRY "x-vpn-connect-retry"

#endif
