"""Russian word forms by ending rules, without a dictionary.

Owns: the case, number and diminutive forms a search box sees. Rules are rough on
purpose: a wrong form ("хлебов" for "хлеба") looks like the misspellings users type,
so it teaches rather than harms. Does not know labels, noise or templates.
"""

VOWELS = "аеёиоуыэюя"
HISSING = "гкхжшщч"

# Endings by noun class: nominative plural first, then the oblique forms of both numbers.
HARD_A = ["ы", "у", "ой", "е", "", "ам", "ами"]
SOFT_A = ["и", "у", "ой", "е", "", "ам", "ами"]
YA = ["и", "ю", "ей", "е", "ь", "ям", "ями"]
O = ["а", "у", "ом", "е", "", "ам", "ами"]
E_SOFT = ["я", "ю", "ем", "и", "й", "ям"]
MASC = ["ы", "а", "у", "ом", "е", "ов", "ам", "ами"]
MASC_K = ["и", "а", "у", "ом", "е", "ов", "ам", "ами"]
MASC_Y = ["и", "я", "ю", "ем", "е", "ев", "ями"]
SOFT_SIGN = ["и", "я", "ю", "ем", "ью", "ей", "ями"]
PLURAL = ["", "ов", "ам", "ами", "ах"]
PLURAL_SOFT = ["ей", "ям", "ями", "ях", "ек", "ов"]

ADJ_HARD = ["ый", "ая", "ое", "ые", "ого", "ой", "ую", "ым", "ых", "ыми", "ом"]
ADJ_K = ["ий", "ая", "ое", "ие", "ого", "ой", "ую", "им", "их", "ими", "ом"]
ADJ_SOFT = ["ий", "яя", "ее", "ие", "его", "ей", "юю", "им", "их", "ими", "ем"]
ADJ_STRESSED = ["ой", "ая", "ое", "ые", "ого", "ую", "ым", "ых", "ыми", "ом"]


def is_adjective(word):
    """Whether a nominative word of the lexicon inflects as an adjective."""
    return len(word) > 4 and word.endswith(("ый", "ий", "ая", "ое", "ые", "яя", "ее", "ие")) and \
        not word.endswith(("ание", "ение", "тие", "лие", "сие", "чай"))


def adjective_forms(word):
    """All forms of an adjective given in any nominative; the masculine one first."""
    stem, ending = word[:-2], word[-2:]
    if stem[-1] in HISSING:
        endings = ADJ_K if ending != "ой" else ["ой"] + ADJ_K[1:]
    elif ending in ("яя", "ее") or (ending in ("ий", "ие") and stem[-1] == "н"):
        endings = ADJ_SOFT
    elif ending == "ой":
        endings = ADJ_STRESSED
    else:
        endings = ADJ_HARD
    return [stem + e for e in endings]


def noun_forms(word):
    """Case and number forms of a noun; [word] for what does not inflect."""
    if "-" in word or len(word) < 3 or not ("а" <= word[-1] <= "ё"):
        return [word]
    if is_adjective(word):
        return [word] + adjective_forms(word)
    last, stem = word[-1], word[:-1]
    if last == "а":
        forms = [stem + e for e in (SOFT_A if stem[-1] in HISSING else HARD_A)]
        return [word] + forms + fleeting(stem)
    if last == "я":
        return [word] + [stem + e for e in YA]
    if last == "о":
        return [word] if word in ("какао", "дорадо", "эскимо", "просекко") else [word] + [stem + e for e in O]
    if last == "е":
        return [word] + [stem + e for e in (E_SOFT if stem[-1] in "иь" else O)]
    if last == "ь":
        return [word] + [stem + e for e in SOFT_SIGN]
    if last == "й":
        return [word] + [stem + e for e in MASC_Y]
    if last in "ыи":
        return plural_forms(word, stem)
    if last in VOWELS:
        return [word]
    forms = [word] + [word + e for e in (MASC_K if last in HISSING else MASC)]
    if word.endswith(("ок", "ек", "ец")) and len(word) > 4:
        short = word[:-2] + word[-1]
        forms += [short + e for e in (["и", "а", "ов", "ами"] if last == "к" else ["ы", "а", "ев", "ами"])]
    return forms


def plural_forms(word, stem):
    """Forms of a noun listed in the plural (макароны, сосиски, грабли)."""
    forms = [word, stem] + [stem + e for e in PLURAL[1:]] + [stem + "а"]
    if stem[-1] == "к":
        forms += [stem + "а", stem + "у", stem + "ой"] + fleeting(stem)
    if word[-1] == "и" and stem[-1] not in HISSING:
        forms += [stem + e for e in PLURAL_SOFT] + [stem + "ь"]
    return forms


def fleeting(stem):
    """Genitive plural with a vowel put before the last к: сосиск- -> сосисок, булочк- -> булочек."""
    if len(stem) < 3 or stem[-1] != "к" or stem[-2] in VOWELS:
        return []
    if stem[-2] in "жшчщ":
        return [stem[:-1] + "ек"]
    return [stem[:-2] + "ек" if stem[-2] in "ьй" else stem[:-1] + "ок"]


def diminutives(word):
    """Pet names of a noun: сыр -> сырок, сырочек; рыба -> рыбка. Empty where no rule fits."""
    if len(word) < 3 or is_adjective(word) or "-" in word:
        return []
    last, stem = word[-1], word[:-1]
    if last == "к" and word.endswith(("ок", "ик")):
        return [stem + "чек"]
    if last == "а" and stem[-1] == "к" and stem[-2] in "шчжнлрт":
        return [stem[:-1] + "очка" if stem[-2] not in "шчж" else stem[:-1] + "ечка"]
    if last == "а" and stem[-1] not in HISSING:
        return [stem + "ка", stem + "очка"]
    if last == "о" and stem[-1] not in HISSING:
        return [stem + "ко", stem + "чко"]
    if last == "ь":
        return [stem + "ька"]
    if last not in VOWELS + "йьцчшщжгх":
        return [word + "ик", word + "чик", word + "ец"]
    return []
