"""Letters as people spell them: by name, in a spelling alphabet, by example."""

from __future__ import annotations

from random import Random


def _by_letter(words: str) -> dict[str, str]:
    return dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", words.split(","), strict=True))


NATO = _by_letter(
    "alpha,bravo,charlie,delta,echo,foxtrot,golf,hotel,india,juliet,kilo,lima,mike,november,oscar,papa,quebec,romeo,"
    "sierra,tango,uniform,victor,whiskey,x-ray,yankee,zulu"
)
FRENCH = _by_letter(
    "Anatole,Berthe,Célestin,Désiré,Eugène,François,Gaston,Henri,Irma,Joseph,Kléber,Louis,Marcel,Nicolas,Oscar,Pierre,"
    "Quintal,Raoul,Suzanne,Thérèse,Ursule,Victor,William,Xavier,Yvonne,Zoé"
)
NAMES = {
    "fr": _by_letter("A,B,C,D,E,effe,G,hache,I,J,K,elle,emme,enne,O,P,Q,R,S,T,U,V,double V,X,I grec,zède"),
    "en": _by_letter("A,bee,C,dee,E,F,gee,aitch,I,jay,kay,L,M,N,O,pee,queue,R,S,tee,U,vee,double u,X,Y,zed"),
}
STYLES = ("plain", "plain", "named", "alphabet", "example")


def spell(letter: str, style: str, language: str, draw: Random) -> list[tuple[str, bool]]:
    """Words for one letter, and whether each gives it away."""
    speech = language[:2]
    if style == "named":
        return [(word, True) for word in NAMES[speech][letter].split()]
    if style == "plain":
        return [(letter, True)]
    french = speech == "fr" and draw.random() < 0.6
    word = (FRENCH if french else NATO)[letter]
    if style == "alphabet":
        return [(word, True)]
    link = draw.choice(("comme", "comme")) if speech == "fr" else draw.choice(("for", "as in", "like"))
    return [(letter, True), *((each, False) for each in link.split()), (word, True)]
