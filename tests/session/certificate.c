/*
 * Until when a certificate is good, read from its PEM; anything else is refused, never misread.
 */
#include "session/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Made by openssl req -x509 -newkey ed25519 -days N -subj /CN=mx1; GeneralizedTime from 2050 on. */
static const char utc_time[] = "a word before it\n"
                               "-----BEGIN CERTIFICATE-----\n"
                               "MIIBMDCB46ADAgECAhRrCpdMkq1uzfurLZ4uLvuudJRXKzAFBgMrZXAwDjEMMAoG\n"
                               "A1UEAwwDbXgxMB4XDTI2MTEyNzA2MjgzMFoXDTI5MDgyMzA2MjgzMFowDjEMMAoG\n"
                               "A1UEAwwDbXgxMCowBQYDK2VwAyEAyC/MphJX/LGvMWd9L1vhBs6qd/bKVeDdRBK3\n"
                               "H0wARsGjUzBRMB0GA1UdDgQWBBSOGqonFR8IMGbtsM/3tT2KS4YYrjAfBgNVHSME\n"
                               "GDAWgBSOGqonFR8IMGbtsM/3tT2KS4YYrjAPBgNVHRMBAf8EBTADAQH/MAUGAytl\n"
                               "cANBAJ/4p9L8Snb6gOnDRhS5o78FrMpfrR1Nlc3MPz5oOsOrsLQTF68jvQBWblRU\n"
                               "evxR4R+DOKNA1P0w7kkjxJyu6wI=\n"
                               "-----END CERTIFICATE-----\n";
static const char generalized_time[] =
        "-----BEGIN CERTIFICATE-----\n"
        "MIIBMjCB5aADAgECAhRC5IXctFUzhKhzLMF4XBiinTsBbzAFBgMrZXAwDjEMMAoG\n"
        "A1UEAwwDbXgxMCAXDTI2MTEyNzA2MjgzMFoYDzIxMjYxMTAzMDYyODMwWjAOMQww\n"
        "CgYDVQQDDANteDEwKjAFBgMrZXADIQDYNKtiYJB9oGkd4NInQiL4ay8pz1enMfXa\n"
        "YPbJ9ZMApKNTMFEwHQYDVR0OBBYEFGovo0IU2U+48zlYivKKBNUgtuOJMB8GA1Ud\n"
        "IwQYMBaAFGovo0IU2U+48zlYivKKBNUgtuOJMA8GA1UdEwEB/wQFMAMBAf8wBQYD\n"
        "K2VwA0EAtC5pTfvZTLCn1SLDgF5dcVE2o3Xvrh66Dn115xPIGsiBRiLdi0FuJ5zi\n"
        "4ITyL5F0WfJLHI399ScL5yvfaSLpBA==\n"
        "-----END CERTIFICATE-----\n";

static void the_end_is_told__in_both_kinds_of_time(void **state)
{
	int64_t end = 0;

	(void)state;
	assert_int_equal(mr_certificate_end(mr_str_from(utc_time), &end), 0);
	assert_int_equal(end, 1882160910);
	assert_int_equal(mr_certificate_end(mr_str_from(generalized_time), &end), 0);
	assert_int_equal(end, 4949360910LL);
}

/* Every cut of it, and every byte changed, is refused or read; nothing is read past its end. */
static void a_damaged_one_does_no_harm__wherever_the_damage_is(void **state)
{
	size_t size = strlen(utc_time), n_refused = 0, n_read = 0;
	char copy[sizeof utc_time];
	int64_t end;

	(void)state;
	for (size_t i = 0; i < size; i++) {
		n_refused += mr_certificate_end((mr_str){utc_time, i}, &end) != 0;
		memcpy(copy, utc_time, sizeof copy);
		copy[i] = '8';
		n_read += mr_certificate_end((mr_str){copy, size}, &end) == 0;
	}
	assert_true(n_refused > size / 2);
	assert_true(n_read > 0 && n_read < size); /* the signature is nobody's business here */
}

static void what_a_file_holds_is_told_by_its_name__of_keys_and_certificates(void **state)
{
	static const struct {
		const char *text;
		bool is_certificate, is_key;
	} cases[] = {
	        {"-----BEGIN CERTIFICATE-----\n", true, false},
	        {"-----BEGIN PRIVATE KEY-----\n", false, true},
	        {"-----BEGIN RSA PRIVATE KEY-----\n", false, true},
	        {"-----BEGIN PUBLIC KEY-----\n", false, false},
	        {"PRIVATE KEY-----\n", false, false},
	        {"", false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		mr_str text = mr_str_from(cases[i].text);

		assert_int_equal(mr_pem_has_certificate(text), cases[i].is_certificate);
		assert_int_equal(mr_pem_has_key(text), cases[i].is_key);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_end_is_told__in_both_kinds_of_time),
	        cmocka_unit_test(a_damaged_one_does_no_harm__wherever_the_damage_is),
	        cmocka_unit_test(what_a_file_holds_is_told_by_its_name__of_keys_and_certificates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
