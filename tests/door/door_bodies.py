"""Bodies and content types that are known to have broken somebody's receiver."""

from __future__ import annotations

MEDIA_TYPES = [
    "application/json",
    "application/json; charset=utf-16",
    "APPLICATION/JSON;charset=\xff",
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-7",
    "application/x-www-form-urlencoded; charset=shift_jis",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=x",
    'multipart/form-data; boundary="x"; charset=idna',
    "multipart/form-data; boundary=" + "x" * 300,
    "multipart/form-data; boundary*=utf-8''x",
    "text/plain",
    "text/plain; charset=undefined",
    "text/plain; charset=iso-8859-1; charset=big5",
    "text/html",
    "",
]
DEEP = [b"[" * n + b"1" + b"]" * n for n in (63, 64, 65, 1_000, 100_000)]
DEEP += [b'{"a":' * n + b"1" + b"}" * n for n in (63, 64, 65, 1_000, 100_000)]
JSON = [
    *(
        b"",
        b" ",
        b"\x00",
        b"null",
        b"0",
        b'""',
        b"{}",
        b"[]",
        b"{",
        b'{"',
        b'{"a"',
        b'{"a":',
        b"{} {}",
        b"nul",
    ),
    *(b"NaN", b"[NaN]", b'{"a":NaN}', b'{"a":-Infinity}', b'{"a":Infinityx}', b'{"a":01}', b'{"a":+1}'),
    *(b'{"id":' + digits + b"}" for digits in (b"9" * 4300, b"9" * 4301, b"-" + b"9" * 500_000, b"1e308")),
    *(b'{"id":1e' + digits + b"}" for digits in (b"309", b"-400", b"9" * 18, b"9" * 5_000, b"+0")),
    *(
        b'{"a":"\\ud800"}',
        b'{"\\udfff":1,"\\ud800":2}',
        b'{"a":"\\u0000"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\\x"}',
    ),
    *(b'{"a":1,"a":2}', b'{"a":{"b":1,"b":2}}', b'{"":1,"":2}', b'{"a":"\x00\n\t"}', b'{"a":"\xff"}'),
    *(
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"\x00{\x00}",
        b"\x1f\x8b\x08\x00" + bytes(50),
        b"{}" + b" " * 70_000,
    ),
    *(
        b'{"id":true,"updated_at":[]}',
        b'{"id":{"a":1}}',
        b'{"id":-1.5,"test":1}',
        b'{"updated_at":"9999-99-99"}',
    ),
    *(
        b'{"updated_at":"0001-01-01T00:00:00+23:59"}',
        b'{"updated_at":"2026-03-02T10:00:00"}',
        b'{"test":true}',
    ),
    *(
        b'{"MessageID":5}',
        b'{"MessageID":""}',
        b'{"MessageID":"' + b"m" * 9_000 + b'"}',
        b'{"Headers":[1,{"Name":[]}]}',
    ),
    *(
        b'{"Headers":[{"Name":"Message-ID","Value":{}}]}',
        b'{"Headers":[{"Name":"message-id","Value":"\\u0000"}]}',
    ),
]
FORMS = [
    *(
        b"a",
        b"=",
        b"&",
        b"a=1&a=2",
        b"a[]=1&a=2&a[b]=3",
        b"a[b][c][d][e][f][g]=1",
        b"[]=1",
        b"a[=1",
        b"a]=1",
        b"[a]=1",
    ),
    *(
        b"%",
        b"%zz=%",
        b"a=%00",
        b"%00=%ff",
        b"a=%ed%a0%80",
        b"a=\xff\xfe",
        b"a=+%2B",
        b"a=1;b=2",
        b"a&" * 1_001,
    ),
    *(
        b"a" * 1_000 + b"=",
        b"a[" * 5_000 + b"=1",
        b"%F0%9F%98%80=1",
        b"_a=1",
        b"a=1\r\nb=2",
        b"\r\n",
        b"a=\n\nb",
    ),
]
DISPOSITION = b'\r\nContent-Disposition: form-data; name="a"'
PARTS = [
    *(b"--x", b"--x--", b"--x\r\n", b"--x\r\n\r\n", b"--x--\r\n--x", b"--y\r\n\r\n--y--", b"\r\n" * 9_000),
    *(
        b"--x" + DISPOSITION + rest
        for rest in (b"", b"\r\n\r\n", b"\r\n\r\n1", b"\r\n\r\n1\r\n--x--", b"\n\n1\n--x--")
    ),
    *(
        b"--x" + DISPOSITION + rest
        for rest in (b"; filename=b\r\n\r\n\x00\xff\r\n--x--", b"; filename*=utf-16''%ff\r\n\r\n1\r\n--x--")
    ),
    *(
        b"--x\r\nContent-Disposition: " + rest + b"\r\n\r\n1\r\n--x--"
        for rest in (b"", b"form-data", b"attachment; name=a", b"form-data; name*=x''%ff")
    ),
    *(
        b"--x" + DISPOSITION + b"\r\nContent-Type: " + rest + b"\r\n\r\n1\r\n--x--"
        for rest in (b"\xff", b"text/plain; charset=idna", b";;=")
    ),
    (b"--x" + DISPOSITION + b"\r\n\r\n1\r\n") * 1_001 + b"--x--",
    b"--x" + DISPOSITION + b"\r\n\r\n" + b"\r\n--" * 30_000,
    b"--x\r\n" + b"A: b\r\n" * 9_000 + b"\r\n1\r\n--x--",
]
CORPUS = [*DEEP, *JSON, *FORMS, *PARTS]


#: Small, and each made so that some way of looking for the fault in it takes time that grows with the square.
QUOTES = b'"' + b'\\"' * 8_000
SLOW = [b"[NaNx " + QUOTES, b'{"a":1e999x ' + QUOTES, b"[" * 70 + QUOTES, b'{"a":"' + QUOTES, QUOTES * 2]
