"""Spoils a clean word the way a search box sees it.

Owns: typing slips, sound-alike spelling, half-typed words, wrong keyboard layout,
transliteration, mixed scripts and invented words. Every function takes the random
source first, so one seed fixes everything. Does not know labels or lexicons.
"""

RU_ROWS = ["йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю"]
EN_ROWS = ["qwertyuiop", "asdfghjkl", "zxcvbnm"]
EN_KEYS = "qwertyuiop[]asdfghjkl;'zxcvbnm,."
RU_KEYS = "йцукенгшщзхъфывапролджэячсмитьбю"
TO_RU_LAYOUT = dict(zip(EN_KEYS, RU_KEYS))
TO_EN_LAYOUT = dict(zip(RU_KEYS, EN_KEYS))

RU_TO_LATIN = dict(zip("абвгдежзийклмнопрстуфхцчшщъыьэюяё", [
    "a", "b", "v", "g", "d", "e", "zh", "z", "i", "y", "k", "l", "m", "n", "o", "p", "r", "s", "t",
    "u", "f", "h", "ts", "ch", "sh", "sch", "", "y", "", "e", "yu", "ya", "e"]))
# Longest first: a reader spells what is heard, not letter by letter.
LATIN_TO_RU = [("sch", "ш"), ("tsch", "ч"), ("eau", "о"), ("sh", "ш"), ("ch", "ч"), ("zh", "ж"), ("ph", "ф"),
               ("th", "т"), ("ck", "к"), ("ee", "и"), ("oo", "у"), ("ou", "у"), ("ya", "я"), ("yu", "ю"),
               ("ts", "ц"), ("qu", "кв"), ("ie", "и"), ("ei", "ай"), ("ai", "ей"), ("a", "а"), ("b", "б"),
               ("c", "к"), ("d", "д"), ("e", "е"), ("f", "ф"), ("g", "г"), ("h", "х"), ("i", "и"), ("j", "дж"),
               ("k", "к"), ("l", "л"), ("m", "м"), ("n", "н"), ("o", "о"), ("p", "п"), ("q", "к"), ("r", "р"),
               ("s", "с"), ("t", "т"), ("u", "у"), ("v", "в"), ("w", "в"), ("x", "кс"), ("y", "и"), ("z", "з")]
HOMOGLYPHS = dict(zip("аеорсухкмтвн", "aeopcyxkmtbh"))
SOUND_ALIKE = [("о", "а"), ("а", "о"), ("е", "и"), ("и", "е"), ("я", "е"), ("ы", "и"), ("и", "ы"), ("т", "д"),
               ("д", "т"), ("б", "п"), ("п", "б"), ("в", "ф"), ("г", "к"), ("к", "г"), ("з", "с"), ("с", "з"),
               ("ж", "ш"), ("ш", "щ"), ("щ", "ш"), ("ь", ""), ("э", "е"), ("е", "э"), ("тс", "ц"), ("ц", "с"),
               ("чн", "шн"), ("стн", "сн"), ("нн", "н"), ("лл", "л"), ("сс", "с"), ("с", "сс"), ("н", "нн"),
               ("л", "лл"), ("о", "ё"), ("х", "г"), ("ч", "щ"), ("е", "ье"), ("т", "ть"), ("л", "ль"),
               ("c", "k"), ("k", "c"), ("i", "y"), ("y", "i"), ("ll", "l"), ("l", "ll"), ("s", "z"), ("z", "s"),
               ("ph", "f"), ("ss", "s"), ("s", "ss"), ("e", "a"), ("a", "e"), ("ee", "i"), ("i", "e"), ("tt", "t"),
               ("t", "tt"), ("w", "v"), ("v", "w"), ("x", "ks"), ("u", "o"), ("o", "u"), ("th", "t"), ("h", "")]


def build_neighbours():
    table = {}
    for rows in (RU_ROWS, EN_ROWS):
        for r, row in enumerate(rows):
            for c, key in enumerate(row):
                near = row[max(0, c - 1):c] + row[c + 1:c + 2]
                for other in (r - 1, r + 1):
                    if 0 <= other < len(rows):
                        near += rows[other][max(0, c - 1):c + 2]
                table[key] = near
    return table


NEIGHBOURS = build_neighbours()


def typo(rng, word):
    """One slip of the finger or of the ear; the word may come back unchanged."""
    kind = rng.random()
    at = rng.randrange(len(word))
    if kind < 0.30:
        key = NEIGHBOURS.get(word[at])
        return word[:at] + rng.choice(key) + word[at + 1:] if key else word
    if kind < 0.48:
        return word[:at] + word[at + 1:] if len(word) > 2 else word
    if kind < 0.58:
        return word[:at] + word[at:at + 2][::-1] + word[at + 2:]
    if kind < 0.66:
        return word[:at] + word[at] + word[at:]
    if kind < 0.74:
        key = NEIGHBOURS.get(word[at])
        return word[:at] + rng.choice(key) + word[at:] if key else word
    if kind < 0.96:
        fits = [pair for pair in SOUND_ALIKE if pair[0] in word]
        if not fits:
            return word
        old, new = rng.choice(fits)
        starts = [i for i in range(len(word)) if word.startswith(old, i)]
        cut = rng.choice(starts)
        return word[:cut] + new + word[cut + len(old):] or word
    if kind < 0.98:
        return "".join(HOMOGLYPHS.get(c, c) if rng.random() < 0.3 else c for c in word)
    return word + rng.choice("0123456789-.\\`'")


def prefix(rng, word):
    """What stands in the box before the word is finished."""
    if len(word) < 4:
        return word
    shortest = 2 if rng.random() < 0.25 else 3
    return word[:rng.randrange(shortest, len(word))]


def wrong_layout(word):
    """The word typed without switching the keyboard: vjkjrj for молоко, зузыш for pepsi.

    A word with б or ж comes back as it is: those keys type , and ; which end a word.
    """
    table = TO_EN_LAYOUT if any("а" <= c <= "я" for c in word) else TO_RU_LAYOUT
    typed = "".join(table.get(c, c) for c in word)
    return word if set(typed) & set(",;") else typed


def to_latin(word):
    return "".join(RU_TO_LATIN.get(c, c) for c in word)


def to_cyrillic(word):
    out, at = [], 0
    while at < len(word):
        for old, new in LATIN_TO_RU:
            if word.startswith(old, at):
                out.append(new)
                at += len(old)
                break
        else:
            out.append("" if word[at] in "'&" else word[at])
            at += 1
    return "".join(out)


RU_ONSETS = "б в г д ж з к л м н п р с т ф х ц ч ш бр вр гр др кр пр тр ст сл см сн ск кл пл бл гл".split()
RU_VOWELS = list("аааеиоооуыэюя")
LAT_ONSETS = "b c d f g h j k l m n p r s t v w z br cr dr fr gr pr tr st sl sm sn sk cl pl bl gl ch sh".split()
LAT_VOWELS = list("aaaeeeiioouy") + ["ea", "oo", "ai", "io"]


def invented(rng, latin):
    """A pronounceable word of no lexicon, which stands for every brand nobody listed."""
    onsets, vowels = (LAT_ONSETS, LAT_VOWELS) if latin else (RU_ONSETS, RU_VOWELS)
    word = "".join(rng.choice(onsets) + rng.choice(vowels) for _ in range(rng.choice([1, 2, 2, 2, 3])))
    tail = rng.random()
    if tail < 0.45:
        word += rng.choice(list("lnrstxkm") if latin else list("лнрсткмв"))
    elif tail < 0.6 and latin:
        word += rng.choice(["ella", "ini", "ex", "ino", "ett", "land", "er", "us"])
    return word


def spoil(rng, word):
    """Clean 0.36, half-typed 0.24, one slip 0.24, two slips 0.08, both 0.08 of words of letters."""
    kind = rng.random()
    if kind < 0.36 or not any(c.isalpha() for c in word):
        return word
    if kind < 0.60:
        return prefix(rng, word)
    if kind < 0.84:
        return typo(rng, word)
    if kind < 0.92:
        return typo(rng, typo(rng, word))
    return prefix(rng, typo(rng, word))
