/* IKEv2 numbers, each once, with the section that defines it. */
#ifndef CLIENT_IKE_IKEV2_H
#define CLIENT_IKE_IKEV2_H

#include <stdint.h>

#define IKE_PORT_NATT  4500
#define IKE_HDR_LEN    28
#define IKE_VERSION    0x20
#define IKE_SPI_LEN    8
#define IKE_NONCE_MIN  16 /* RFC 7296 3.9 */
#define IKE_NONCE_MAX  256
#define IKE_COOKIE_MAX 64

/* RFC 7296 3.1 */
#define IKE_FLAG_INITIATOR 0x08
#define IKE_FLAG_VERSION   0x10
#define IKE_FLAG_RESPONSE  0x20

/* X(name, number) */
#define EXCHANGE_LIST(X)                                                       \
	X(IKE_SA_INIT, 34)                                                     \
	X(IKE_AUTH, 35) X(CREATE_CHILD_SA, 36) X(INFORMATIONAL, 37)            \
		X(IKE_SESSION_RESUME, 38) /* RFC 5723 */                       \
		X(IKE_INTERMEDIATE, 43)	  /* RFC 9242 */

#define PAYLOAD_LIST(X)                                                        \
	X(PLD_NONE, 0)                                                         \
	X(PLD_SA, 33) X(PLD_KE, 34) X(PLD_IDI, 35) X(PLD_IDR, 36)              \
		X(PLD_CERT, 37) X(PLD_CERTREQ, 38) X(PLD_AUTH, 39) X(          \
			PLD_NONCE, 40) X(PLD_NOTIFY, 41) X(PLD_DELETE, 42)     \
			X(PLD_VENDOR, 43) X(PLD_TSI, 44) X(PLD_TSR, 45)        \
				X(PLD_SK, 46) X(PLD_CP, 47) X(PLD_EAP, 48)     \
					X(PLD_SKF, 53) /* RFC 7383 */

#define NOTIFY_LIST(X)                                                                  \
	X(N_UNSUPPORTED_CRITICAL_PAYLOAD, 1)                                            \
	X(N_INVALID_IKE_SPI, 4) X(N_INVALID_MAJOR_VERSION, 5) X(                        \
		N_INVALID_SYNTAX,                                                       \
		7) X(N_INVALID_MESSAGE_ID,                                              \
		     9) X(N_INVALID_SPI,                                                \
			  11) X(N_NO_PROPOSAL_CHOSEN,                                   \
				14) X(N_INVALID_KE_PAYLOAD,                             \
				      17) X(N_AUTHENTICATION_FAILED,                    \
					    24) X(N_SINGLE_PAIR_REQUIRED,               \
						  34) X(N_NO_ADDITIONAL_SAS,            \
							35)                             \
		X(N_INTERNAL_ADDRESS_FAILURE, 36) X(N_FAILED_CP_REQUIRED, 37) X(        \
			N_TS_UNACCEPTABLE,                                              \
			38) X(N_INVALID_SELECTORS,                                      \
			      39) X(N_UNACCEPTABLE_ADDRESSES,                           \
				    40) X(N_UNEXPECTED_NAT_DETECTED,                    \
					  41) X(N_TEMPORARY_FAILURE,                    \
						43) X(N_CHILD_SA_NOT_FOUND,             \
						      44) X(N_INITIAL_CONTACT,          \
							    16384)                      \
			X(N_SET_WINDOW_SIZE, 16385) X(                                  \
				N_ADDITIONAL_TS_POSSIBLE,                               \
				16386) X(N_IPCOMP_SUPPORTED,                            \
					 16387) X(N_NAT_DETECTION_SOURCE_IP,            \
						  16388)                                \
				X(N_NAT_DETECTION_DESTINATION_IP, 16389) X(             \
					N_COOKIE,                                       \
					16390) X(N_USE_TRANSPORT_MODE,                  \
						 16391) X(N_HTTP_CERT_LOOKUP_SUPPORTED, \
							  16392) X(N_REKEY_SA,          \
								   16393)               \
					X(N_ESP_TFC_PADDING_NOT_SUPPORTED,              \
					  16394) X(N_NON_FIRST_FRAGMENTS_ALSO,          \
						   16395)                               \
						X(N_MOBIKE_SUPPORTED,                   \
						  16396) /* RFC 4555 */                 \
		X(N_ADDITIONAL_IP4_ADDRESS,                                             \
		  16397) X(N_ADDITIONAL_IP6_ADDRESS,                                    \
			   16398) X(N_NO_ADDITIONAL_ADDRESSES,                          \
				    16399) X(N_UPDATE_SA_ADDRESSES, 16400)              \
			X(N_COOKIE2, 16401) X(N_NO_NATS_ALLOWED, 16402)                 \
				X(N_AUTH_LIFETIME, 16403) /* RFC 4478 */                \
		X(N_REDIRECT_SUPPORTED, 16406)		  /* RFC 5685 */                \
		X(N_REDIRECT, 16407) X(N_REDIRECTED_FROM, 16408)                        \
			X(N_TICKET_LT_OPAQUE, 16409) /* RFC 5723 */                     \
		X(N_TICKET_REQUEST, 16410) X(N_TICKET_ACK, 16411) X(                    \
			N_TICKET_NACK, 16412) X(N_TICKET_OPAQUE, 16413)                 \
			X(N_EAP_ONLY_AUTHENTICATION, 16417) /* RFC 5998 */              \
		X(N_CHILDLESS_IKEV2_SUPPORTED, 16418)                                   \
			X(N_QUICK_CRASH_DETECTION, 16419) /* RFC 6290 */                \
		X(N_IKEV2_FRAGMENTATION_SUPPORTED, 16430) /* RFC 7383 */                \
		X(N_SIGNATURE_HASH_ALGORITHMS, 16431)	  /* RFC 7427 */                \
		X(N_INTERMEDIATE_EXCHANGE_SUPPORTED, 16438)

#define N_FIRST_STATUS 16384 /* below: errors, RFC 7296 3.10.1 */

#define X(name, num) name = num,
enum ike_exchange { EXCHANGE_LIST(X) };
enum ike_payload_type { PAYLOAD_LIST(X) };
enum ike_notify_type { NOTIFY_LIST(X) };
#undef X

enum { PROTO_NONE = 0, PROTO_IKE = 1, PROTO_AH = 2, PROTO_ESP = 3 };
/* Transform types, RFC 7296 3.3.2 */
enum {
	TRANSFORM_ENCR = 1,
	TRANSFORM_PRF = 2,
	TRANSFORM_INTEG = 3,
	TRANSFORM_KE = 4,
	TRANSFORM_ESN = 5
};
/* Identification types, RFC 7296 3.5 */
enum {
	ID_IPV4_ADDR = 1,
	ID_FQDN = 2,
	ID_RFC822_ADDR = 3,
	ID_IPV6_ADDR = 5,
	ID_DER_ASN1_DN = 9,
	ID_KEY_ID = 11
};
/* Authentication methods, RFC 7296 3.8, RFC 4754, RFC 7427 */
enum {
	AUTH_RSA = 1,
	AUTH_SHARED_KEY = 2,
	AUTH_ECDSA_256 = 9,
	AUTH_ECDSA_384 = 10,
	AUTH_DIGITAL_SIGNATURE = 14
};
/* Configuration payload, RFC 7296 3.15, RFC 8598 */
enum { CFG_REQUEST = 1, CFG_REPLY = 2, CFG_SET = 3, CFG_ACK = 4 };
enum {
	CFG_INTERNAL_IP4_ADDRESS = 1,
	CFG_INTERNAL_IP4_NETMASK = 2,
	CFG_INTERNAL_IP4_DNS = 3,
	CFG_INTERNAL_IP6_ADDRESS = 8,
	CFG_INTERNAL_IP6_DNS = 10,
	CFG_INTERNAL_IP4_SUBNET = 13,
	CFG_INTERNAL_IP6_SUBNET = 15,
	CFG_INTERNAL_DNS_DOMAIN = 25
};
enum { CERT_X509_SIGNATURE = 4 };
enum { TS_IPV4_ADDR_RANGE = 7, TS_IPV6_ADDR_RANGE = 8 };
/* EAP, RFC 3748 4 and 5; MSCHAPv2 draft-kamath-pppext-eap-mschapv2 */
enum { EAP_REQUEST = 1, EAP_RESPONSE = 2, EAP_SUCCESS = 3, EAP_FAILURE = 4 };
enum {
	EAP_TYPE_IDENTITY = 1,
	EAP_TYPE_NOTIFICATION = 2,
	EAP_TYPE_NAK = 3,
	EAP_TYPE_MSCHAPV2 = 26
};

/* Names for logs; "unknown" for a number not listed. Never NULL. */
const char *ike_exchange_name(uint8_t exchange);
const char *ike_payload_name(uint8_t payload);
const char *ike_notify_name(uint16_t notify);

#endif
