"""Fills one slot of a template: a list of (word, label) pairs with BIO labels.

Owns: what a TYPE, BRAND, VOLUME, PERCENT and unlabelled part of a query may look like, and
how each is spoiled. Does not know templates or how parts are joined.
"""
import re

import noise

UNITS = ["л", "л", "л", "мл", "мл", "г", "г", "гр", "кг", "кг", "шт", "l", "ml", "g", "kg", "л.", "гр.", "мл.",
         "литр", "литра", "литров", "грамм", "кило", "oz", "lb", "pcs", "liter", "штук", "кубиков", "таб"]
SIZES = ["0.25", "0.33", "0.45", "0.5", "0.5", "0.7", "0.75", "0.9", "1", "1", "1.5", "2", "2", "3", "5", "6", "10", "12",
         "20", "30", "50", "75", "80", "90", "100", "120", "150", "180", "200", "250", "300", "330", "350", "400",
         "450", "500", "600", "700", "750", "800", "900", "930", "950", "970", "1000", "1.25", "1.75", "0.2", "0.3"]
FAT = ["0", "0.1", "0.5", "1", "1.5", "1.8", "2", "2.5", "2.7", "3.2", "3.4", "3.5", "3.6", "4", "4.5", "5", "6", "8", "9", "10",
       "11", "12", "15", "18", "20", "22", "25", "30", "33", "35", "40", "45", "50", "60", "70", "72", "72.5",
       "80", "82.5", "82", "85", "90", "95", "99", "100", "13", "7", "37.5"]
FAT_WORDS = ["процента", "процентов", "процент", "проц"]
DAIRY = set("молоко молока молок кефир сметана сметаны творог сливки йогурт ряженка сыр масло milk cream butter".split())


def bio(words, label):
    return [(w, ("B-" if i == 0 else "I-") + label) for i, w in enumerate(words)]


def number(rng, pool):
    value = rng.choice(pool)
    return value.replace(".", ",") if rng.random() < 0.45 else value


def volume(rng, _lexicon):
    value, unit, kind = number(rng, SIZES), rng.choice(UNITS), rng.random()
    if kind < 0.50:
        words = [value + unit]
    elif kind < 0.80:
        words = [value, unit]
    elif kind < 0.86:
        words = [f"{rng.randrange(2, 24)}{rng.choice('xх*')}{value}{unit}"]
    elif kind < 0.89:
        words = ["по", value, unit] if rng.random() < 0.3 else [rng.choice(["литр", "пол-литра", "полкило", "1кг", "кг"])]
    else:
        words = [rng.choice(["0.5", "0,5", "1.5", "1,5", "0.33", "0,33", "0.7", "0.75", "0,25", "0,45", "500", "200", "330"])]
    return bio(words, "VOLUME")


def percent(rng, _lexicon):
    value, kind = number(rng, FAT), rng.random()
    if kind < 0.70:
        words = [value + "%"]
    elif kind < 0.88:
        words = [value, "%"]
    else:
        words = [value, rng.choice(FAT_WORDS)]
    return bio(words, "PERCENT")


def noun(rng, lexicon):
    """One Russian noun: its plain name half the time, else a form or a pet name."""
    forms, small = rng.choice(lexicon.nouns)
    kind = rng.random()
    if kind < 0.50:
        return forms[0]
    return rng.choice(small) if small and kind > 0.90 else rng.choice(forms)


def product_type(rng, lexicon):
    """A TYPE of one to three words, spoiled."""
    kind = rng.random()
    if kind < 0.52:
        words = [noun(rng, lexicon)]
    elif kind < 0.60:
        words = [rng.choice(rng.choice(lexicon.adjectives))]
    elif kind < 0.71:
        words = [rng.choice(rng.choice(lexicon.adjectives)), noun(rng, lexicon)]
    elif kind < 0.79:
        words = [noun(rng, lexicon), rng.choice(rng.choice(lexicon.adjectives))]
    elif kind < 0.84:
        words = [noun(rng, lexicon), noun(rng, lexicon)]
    elif kind < 0.91:
        words = rng.choice(lexicon.phrases).split()
    elif kind < 0.96:
        words = [rng.choice(rng.choice(lexicon.english))]
    else:  # a word nobody listed: in Cyrillic it is far oftener a thing than a maker
        words = [noise.invented(rng, latin=False)]
        if rng.random() < 0.5:
            words = [noun(rng, lexicon), words[0]]
    return close(rng, words, "TYPE")


PREPOSITIONS = {"с", "со", "без", "для", "от", "из", "на", "в", "по", "под", "к", "не"}


def close(rng, words, label):
    """Labels spoiled words; what follows a preposition inside a name is O ("крем" "для рук")."""
    pairs = []
    for i, word in enumerate(words):
        if word in PREPOSITIONS:
            return pairs + [(spoil_o(rng, w), "O") for w in words[i:]]
        pairs.append((noise.spoil(rng, word) if rng.random() < 0.9 else word, ("B-" if i == 0 else "I-") + label))
    if rng.random() < 0.012:
        return [(noise.wrong_layout(w), lab) for w, lab in pairs]
    if rng.random() < 0.02 and label == "TYPE":
        return [(noise.to_latin(w) or w, lab) for w, lab in pairs]
    return pairs


def brand(rng, lexicon):
    """A BRAND in one of its scripts, or an invented one: 22 % of them, four in five Latin."""
    if rng.random() < 0.22:
        words = [noise.invented(rng, latin=rng.random() < 0.8)]
        if rng.random() < 0.12:
            words.append(noise.invented(rng, latin=True))
    else:
        names = rng.choice(lexicon.brands)
        name = names[0] if rng.random() < 0.55 else rng.choice(names)
        if rng.random() < 0.06 and not re.search("[a-z]", name):
            name = noise.to_latin(name)
        words = name.split()
        if len(words) == 1 and rng.random() < 0.06:
            words = [words[0].replace("-", "")]
        elif len(words) > 1 and rng.random() < 0.08:
            words = ["".join(words)]
    # A half-typed name of several words loses its tail: "вкус", "вкус года".
    if len(words) > 1 and rng.random() < 0.25:
        words = words[:rng.randrange(1, len(words))]
    if rng.random() < 0.012:
        return bio([noise.wrong_layout(w) for w in words], "BRAND")
    return bio([noise.spoil(rng, w) for w in words], "BRAND")


def spoil_o(rng, word):
    """Short words keep their shape: a slip in "с" would make another word."""
    return noise.spoil(rng, word) if len(word) > 4 and rng.random() < 0.55 else \
        noise.typo(rng, word) if len(word) > 2 and rng.random() < 0.05 else word


def tail(rng, lexicon):
    """A preposition and what it governs, all O: "без сахара", "для кошек", "с сочной вишней"."""
    words = rng.choice(lexicon.o["prep"][:13] if rng.random() < 0.85 else lexicon.o["prep"]).split()
    if rng.random() < 0.25:
        words.append(rng.choice(rng.choice(lexicon.adjectives)))
    if rng.random() < 0.65:
        words += rng.choice(lexicon.o["tail"]).split()
    else:
        words.append(rng.choice(rng.choice(lexicon.nouns)[0]))
    if rng.random() < 0.08:
        words += ["и", rng.choice(lexicon.o["tail"]).split()[0]]
    return [(spoil_o(rng, w), "O") for w in words]


def filler(rng, lexicon):
    """Words that say nothing of the product: "купить", "сейчас"."""
    return [(spoil_o(rng, w), "O") for w in rng.choice(lexicon.o["noise"]).split()]


def modifier(rng, lexicon):
    return [(spoil_o(rng, w), "O") for w in rng.choice(lexicon.o["mod"]).split()]


def gibberish(rng, _lexicon):
    """Keys struck at random: mostly short and Latin, unpronounceable, O."""
    keys = "qwertyuiopasdfghjklzxcvbnm" if rng.random() < 0.75 else "йцукенгшщзхъфывапролджэячсмитьбю"
    if rng.random() < 0.2:
        return [(str(rng.randrange(1, 9999)), "O")]
    return [("".join(rng.choice(keys) for _ in range(rng.choice([1, 2, 2, 3, 3, 4, 5]))), "O")]


def stray(rng, _lexicon):
    """Signs between words, and pictures (□ to the tokenizer)."""
    return [(rng.choice(["-", "+", "/", "&", "*", "№", "#", "№1", ".", "🥛", "🍎", "😋", "牛奶", "—"]), "O")]


SLOTS = {"T": product_type, "B": brand, "V": volume, "P": percent, "Q": tail, "O": filler, "M": modifier, "G": gibberish, "S": stray}
