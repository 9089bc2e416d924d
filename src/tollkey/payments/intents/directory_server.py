"""The certificate of the directory server that cards of 3-D Secure 2 name.

There is no directory server. The mobile SDKs encrypt what they say about a device with its certificate, and do not
begin without one: their models of ``stripe_3ds2_fingerprint`` need a certificate and a root. What they encrypt nobody
reads: the private key of this one was not kept. It is valid until 2125.
"""

from __future__ import annotations

from typing import Final

CERTIFICATE: Final = """\
-----BEGIN CERTIFICATE-----
MIIC8jCCAdqgAwIBAgIBATANBgkqhkiG9w0BAQsFADAxMS8wLQYDVQQDDCZUb2xs
a2V5IGRpcmVjdG9yeSBzZXJ2ZXIgb2YgdGVzdCBjYXJkczAgFw0yNTAxMDEwMDAw
MDBaGA8yMTI1MDEwMTAwMDAwMFowMTEvMC0GA1UEAwwmVG9sbGtleSBkaXJlY3Rv
cnkgc2VydmVyIG9mIHRlc3QgY2FyZHMwggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAw
ggEKAoIBAQC24wYw88nrG/WSeLn59BqUS5/rUhF6athptqB8MMAh1tGhWkNz1Eah
sqzho/oBkY5CVDdMPjTWghXlHfpi6lDRVfj/lkOT//fRqgU4UoU+SiX8GsqJJaYC
CvZM0f6DVY3hoeI+MYtZKVKlYMcrYeMVOcV1m4I3c1Xdozm77A0aKrNtFQC2YY2g
aiTNykHmT+VHp6UMPEhp9bhEMncV3cEL0hpyGxVCJvMAeu4i4LLaJ2mxzhyfYuko
ka00/DYM2sty0j6ztNWJmJv3gFqHML/QFDSu3SzWQnHh6A3i+6bRIb+JjuAsGzIy
453hF+rtJy53yQVpPBjsJQLp3PXgwMhnAgMBAAGjEzARMA8GA1UdEwEB/wQFMAMB
Af8wDQYJKoZIhvcNAQELBQADggEBALMeKN/T4YAVeSEq4v4lxZ+5nZ2ro2LKcjxP
pRsbB8f2bctrvXvtkZqFWFUJAf+GrSisJ/LRBoJoC7lXGxxH8tR75wnbkgn4/gBJ
1d4Mgca4Wb7COF07IMeqkM1KHxjzhR6zwCjqud0DXbYr9nanefN0DpkIOu5N8bWe
9HGsp2PBBSIOG1YNR+1zMZ/ne+13fBL4JBs9OcbYSrP2Wmd2dlzxxs+NNGVfMeZH
f1213qV9GWcKWlaz6o83bivJHG14jN62jxAAnHp7PxUQelhVY1TKX+7KoMNmQtfF
lf8oDNlVZvBAbFgVWDo7SD0FWf+/fZlYi64Sr2GfUBF44ESCEAU=
-----END CERTIFICATE-----
"""
