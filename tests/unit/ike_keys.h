/* Keys and certificates of the IKE tests: P-256, valid for a hundred years,
 * made once with openssl (ecparam -genkey; x509 -req with the extensions
 * basicConstraints, keyUsage and subjectAltName). They guard nothing. */
#ifndef TESTS_UNIT_IKE_KEYS_H
#define TESTS_UNIT_IKE_KEYS_H

static const char ike_test_ca[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBwjCCAWegAwIBAgIUcGDwaxnar7uf3m2shIIXRgCWrD4wCgYIKoZIzj0EAwIw\n"
	"LTELMAkGA1UEBhMCWFgxDDAKBgNVBAoMA0xhYjEQMA4GA1UEAwwHTGluayBDQTAg\n"
	"Fw0yNjExMjMyMDM0MjBaGA8yMTI2MTAzMDIwMzQyMFowLTELMAkGA1UEBhMCWFgx\n"
	"DDAKBgNVBAoMA0xhYjEQMA4GA1UEAwwHTGluayBDQTBZMBMGByqGSM49AgEGCCqG\n"
	"SM49AwEHA0IABFGlLWoGewZLI1lfNxDhHxY0db6jf/2L9X74ag7FUHoKkec2INEK\n"
	"RiPZNiOxHVKZKVt98pOSlg4tqaAvInQE5AOjYzBhMB0GA1UdDgQWBBToo38tYhdu\n"
	"X84rodLRYtLzKa0Q7jAfBgNVHSMEGDAWgBToo38tYhduX84rodLRYtLzKa0Q7jAP\n"
	"BgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBBjAKBggqhkjOPQQDAgNJADBG\n"
	"AiEA3gX9vWyqPCUW8T3Qr+gtpeN4whLIl1TtDJMXXf71mAwCIQCtMjajkrpVoreJ\n"
	"9BpZBYQSYdDsHukTgTEC+ZuEni3yCw==\n"
	"-----END CERTIFICATE-----\n";

static const char ike_test_gw_cert[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBzzCCAXSgAwIBAgIUNxQOwvnCmZgTt7IDN9C2h2OhWoQwCgYIKoZIzj0EAwIw\n"
	"LTELMAkGA1UEBhMCWFgxDDAKBgNVBAoMA0xhYjEQMA4GA1UEAwwHTGluayBDQTAg\n"
	"Fw0yNjExMjMyMDM0MjBaGA8yMTI2MTAzMDIwMzQyMFowKDELMAkGA1UEBhMCWFgx\n"
	"DDAKBgNVBAoMA0xhYjELMAkGA1UEAwwCZ3cwWTATBgcqhkjOPQIBBggqhkjOPQMB\n"
	"BwNCAASnkfSigjU/o96c4K8QkI8pobxfEAhDA6LFGlCIwhheFg61Lo0/P3NjNeIl\n"
	"92iYL6ypa4KyehyWDW6V2bfu4S+Yo3UwczAJBgNVHRMEAjAAMAsGA1UdDwQEAwIH\n"
	"gDAZBgNVHREEEjAQgg5ndy5leGFtcGxlLm9yZzAdBgNVHQ4EFgQUwe6KCDbsgU5A\n"
	"bdd8hCeKxA2Zl3YwHwYDVR0jBBgwFoAU6KN/LWIXbl/OK6HS0WLS8ymtEO4wCgYI\n"
	"KoZIzj0EAwIDSQAwRgIhAJ0okq4x0GraZsDvbHOZcDWDU+zKa6UtzyPeS0gDOd0j\n"
	"AiEAgE/Ho+qPcT3OofAeoku6rIqXMBRVdxeGL1x10XiphVQ=\n"
	"-----END CERTIFICATE-----\n";

static const char ike_test_gw_key[] =
	"-----BEGIN EC PRIVATE KEY-----\n"
	"MHcCAQEEIF8NqwSvGBlatO7SrYOpbwDDV8ypT9WIc4TIRZWBc6nYoAoGCCqGSM49\n"
	"AwEHoUQDQgAEp5H0ooI1P6PenOCvEJCPKaG8XxAIQwOixRpQiMIYXhYOtS6NPz9z\n"
	"YzXiJfdomC+sqWuCsnoclg1uldm37uEvmA==\n"
	"-----END EC PRIVATE KEY-----\n";

static const char ike_test_cl_cert[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBzjCCAXSgAwIBAgIUNxQOwvnCmZgTt7IDN9C2h2OhWoUwCgYIKoZIzj0EAwIw\n"
	"LTELMAkGA1UEBhMCWFgxDDAKBgNVBAoMA0xhYjEQMA4GA1UEAwwHTGluayBDQTAg\n"
	"Fw0yNjExMjMyMDM0MjBaGA8yMTI2MTAzMDIwMzQyMFowKDELMAkGA1UEBhMCWFgx\n"
	"DDAKBgNVBAoMA0xhYjELMAkGA1UEAwwCY2wwWTATBgcqhkjOPQIBBggqhkjOPQMB\n"
	"BwNCAARL61TI9fJGyPipa7+rGfSlig7Zc3B28S6h3RwB+n/mahe2kbgS+nqrrR5W\n"
	"3peq0fUxmSTodDlbV9Q0N6UBTF7no3UwczAJBgNVHRMEAjAAMAsGA1UdDwQEAwIH\n"
	"gDAZBgNVHREEEjAQgQ5tZUBleGFtcGxlLm9yZzAdBgNVHQ4EFgQUnUYSO9GsmPJM\n"
	"d7EJ21s52qlqTXAwHwYDVR0jBBgwFoAU6KN/LWIXbl/OK6HS0WLS8ymtEO4wCgYI\n"
	"KoZIzj0EAwIDSAAwRQIhAJT0k4MjQqqkwrcLfowcweh6+cmsL0MRBXaVxuAo91la\n"
	"AiBDgVQP4iBofVj1gX8f7LRsf2ydNDCzNbrMKXBAY6ZC7g==\n"
	"-----END CERTIFICATE-----\n";

static const char ike_test_cl_key[] =
	"-----BEGIN EC PRIVATE KEY-----\n"
	"MHcCAQEEILfHBo2ht9jUizrbfskoOcM1aw9Ep7Y9klLV8IA7alcLoAoGCCqGSM49\n"
	"AwEHoUQDQgAES+tUyPXyRsj4qWu/qxn0pYoO2XNwdvEuod0cAfp/5moXtpG4Evp6\n"
	"q60eVt6XqtH1MZkk6HQ5W1fUNDelAUxe5w==\n"
	"-----END EC PRIVATE KEY-----\n";

#endif
