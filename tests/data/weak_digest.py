"""One text signed twice by one key, by SHA-1 and by SHA-512.

What makes the tests' other signatures makes none by SHA-1. GnuPG 2.2 made these, by --clearsign and
--digest-algo, in the year 2020 (--faked-system-time).
"""

KEY = b"""\
-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEXgvhABYJKwYBBAHaRw8BAQdAUqPWvr3NKMKoZe6P2CFrnr5xRlFh1T1UcpKD
DDHitQu0F3NoYTEgPHNoYTFAZXhhbXBsZS5vcmc+iJAEExYIADgWIQQe0i9rRtGv
3whCxUr+a6nIHtB6bgUCXgvhAAIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAK
CRD+a6nIHtB6bgMMAQDqjxoJb3b1hFRrGX4rn9N8bvWHETaKRRtB73MAv0ny4wEA
4BmYNm2Nu4WaPziitytxLqUYwGUOBOcDtBNKUfjwKQc=
=Jpdl
-----END PGP PUBLIC KEY BLOCK-----
"""
BY_SHA1 = b"""\
-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA1

Origin: Debian
-----BEGIN PGP SIGNATURE-----

iHUEARYCAB0WIQQe0i9rRtGv3whCxUr+a6nIHtB6bgUCXgvhAAAKCRD+a6nIHtB6
bnRSAQDOXRz44smqXwMkfX6OolcJRUkUsRcanCk0sZFG5mgeeAD+KozJAJYveE3H
HLGHpLsXU3x8XT40qr1JgkG781ys7Qo=
=QTs6
-----END PGP SIGNATURE-----
"""
BY_SHA512 = b"""\
-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA512

Origin: Debian
-----BEGIN PGP SIGNATURE-----

iHUEARYKAB0WIQQe0i9rRtGv3whCxUr+a6nIHtB6bgUCXgvhAAAKCRD+a6nIHtB6
bsaVAQCq+O0wyeudirG2OwGQGAzfdntM5MOIrWlo4b9QZL4/bgEA0pEWujWpWhBF
1q/Mhm1s2PjGz8TGifhvTWJMdg0qaAM=
=Mot5
-----END PGP SIGNATURE-----
"""
