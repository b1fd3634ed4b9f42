"""Countries as bank identifiers write them: the layouts of IBANs (ISO 13616), the places of BICs (ISO 9362)."""

from __future__ import annotations

import re

from consigne.rules.redaction.numerals import words

# What follows country and check digits: n digits, c letters or digits, a letters of a bank's code. The registry's,
# those of France's territories, and those in use without being registered.
LAYOUTS = {
    country: "".join(kind * int(count) for count, kind in re.findall("([0-9]+)([nac])", line.split()[0]))
    for line in """11n no
    12n be
    14n dk fi fo gl sd
    15n si
    16n at ba ee lt mn xk
    17n hr
    18n cr de me rs va
    19n ae il so tl
    20n cz es se sk tn
    21n ao cv ly mz pt st
    22n dz ir is
    23n bi cf cg cm dj ga gq km mg mr td
    24n hu ma pl
    25n eg
    2a12n fk
    2a16n ge
    2a19n gw
    2a22n bf bj ci ml ne sn tg
    4a10n nl
    4a14n gb ie
    4a15n iq
    4a16n vg
    4a20n do hn ni sv
    4a19n3c mu
    4a20n3c sc
    4a13c lv
    4a14c bh
    4a15c gi
    4a16c pk ro
    4a20c az gt
    4a21c ps qa
    4a22c kw
    4a24c lc
    4a6n8c bg
    4a4n16c by
    4a4n18c jo ye
    4a5n18c mt
    1a10n12c it sm
    2n18c sa
    3n10c2n mk
    3n13c kz lu
    3n16c om
    4n20c lb
    5n12c ch li
    6n16c tr
    6n19c ua
    7n16c gr
    8n12c ad
    8n16c al cy
    10n11c2n fr mc bl gf gp mf mq nc pf pm re tf wf yt
    14n15c ru
    20c md
    23n2c br""".splitlines()
    for country in line.split()[1:]
}
PLACES = LAYOUTS.keys() | words(
    """ar au bd bm bo bs ca cl cn co ec gg gh hk id im in je jm jp ke kh kr ky lk mo mx my ng nz pa pe ph py re
    rw sg sy th tt tw tz ug us uy uz ve vn za zm zw"""
)
