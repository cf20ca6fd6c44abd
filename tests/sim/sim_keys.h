/* The simulated gateway's Ed25519 key and certificate: deterministic
 * signatures. Made once with openssl (genpkey; req -x509); they guard nothing. */
#ifndef TESTS_SIM_SIM_KEYS_H
#define TESTS_SIM_SIM_KEYS_H

static const char sim_gw_key[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIOM7pxJXls+yuqReC4OOlyQKsbqem72fHirW/jYiaVC6\n"
	"-----END PRIVATE KEY-----\n";

static const char sim_gw_cert[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBgDCCATKgAwIBAgIUMYWl8wvcMY3HmjJlO4soRQ1grz4wBQYDK2VwMCcxDDAK\n"
	"BgNVBAoMA0xhYjEXMBUGA1UEAwwOZ3cuZXhhbXBsZS5vcmcwIBcNMjYxMTIzMjAz\n"
	"OTE0WhgPMjEyNjEwMzAyMDM5MTRaMCcxDDAKBgNVBAoMA0xhYjEXMBUGA1UEAwwO\n"
	"Z3cuZXhhbXBsZS5vcmcwKjAFBgMrZXADIQDS/RisWzSA1zgnPaKL+hwNkPO3/7PJ\n"
	"Edv2RNAdy2iIOKNuMGwwHQYDVR0OBBYEFNR1TlQMGOH8oJnfusSYn/3I6tkQMB8G\n"
	"A1UdIwQYMBaAFNR1TlQMGOH8oJnfusSYn/3I6tkQMA8GA1UdEwEB/wQFMAMBAf8w\n"
	"GQYDVR0RBBIwEIIOZ3cuZXhhbXBsZS5vcmcwBQYDK2VwA0EAcCDe39eL4vF51Z++\n"
	"LnlXXLxZqltouGGVv7M89ilnyd+FipMYfUNKvkwdvHJgvrmdlxdVKJqEt6XKqsz4\n"
	"7+RhAQ==\n"
	"-----END CERTIFICATE-----\n";

#endif
