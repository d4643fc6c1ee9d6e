"""The languages that Whisper was trained on: their codes, and the names that OpenAI's API answers with."""

from __future__ import annotations

from whisper_runtime.errors import InvalidRequest

_TABLE = """
en english, zh chinese, de german, es spanish, ru russian, ko korean, fr french, ja japanese, pt portuguese, tr turkish,
pl polish, ca catalan, nl dutch, ar arabic, sv swedish, it italian, id indonesian, hi hindi, fi finnish, vi vietnamese,
he hebrew, uk ukrainian, el greek, ms malay, cs czech, ro romanian, da danish, hu hungarian, ta tamil, no norwegian,
th thai, ur urdu, hr croatian, bg bulgarian, lt lithuanian, la latin, mi maori, ml malayalam, cy welsh, sk slovak,
te telugu, fa persian, lv latvian, bn bengali, sr serbian, az azerbaijani, sl slovenian, kn kannada, et estonian,
mk macedonian, br breton, eu basque, is icelandic, hy armenian, ne nepali, mn mongolian, bs bosnian, kk kazakh,
sq albanian, sw swahili, gl galician, mr marathi, pa punjabi, si sinhala, km khmer, sn shona, yo yoruba, so somali,
af afrikaans, oc occitan, ka georgian, be belarusian, tg tajik, sd sindhi, gu gujarati, am amharic, yi yiddish, lo lao,
uz uzbek, fo faroese, ht haitian creole, ps pashto, tk turkmen, nn nynorsk, mt maltese, sa sanskrit, lb luxembourgish,
my myanmar, bo tibetan, tl tagalog, mg malagasy, as assamese, tt tatar, haw hawaiian, ln lingala, ha hausa, ba bashkir,
jw javanese, su sundanese, yue cantonese
"""
_ALSO = {"burmese": "my", "valencian": "ca", "flemish": "nl", "haitian": "ht", "letzeburgesch": "lb", "pushto": "ps"}
_ALSO |= {"panjabi": "pa", "moldavian": "ro", "moldovan": "ro", "sinhalese": "si", "castilian": "es", "mandarin": "zh"}

NAMES = dict(entry.strip().split(" ", 1) for entry in _TABLE.split(","))
"""Code → English name, in lower case."""
_CODES = {name: code for code, name in NAMES.items()} | _ALSO


def code_of(language: str) -> str:
    """The code for a code, a regional code (`en-GB`) or an English name, in any case.

    Raises:
        InvalidRequest: naming the language, when no model could know it.
    """
    wanted = language.strip().lower()
    code = wanted if wanted in NAMES else _CODES.get(wanted, wanted.replace("_", "-").split("-")[0])
    if code not in NAMES:
        raise InvalidRequest(f"language {language!r} is unknown: use a code such as 'en' or a name", param="language")
    return code


def supported(language: str, languages: tuple[str, ...], model: str) -> str:
    """The code of a language that this model speaks.

    Raises:
        InvalidRequest: when it does not; its words would be nonsense, so it is refused rather than tried.
    """
    code = code_of(language)
    if code not in languages:
        known = ", ".join(languages[:5]) + (", …" if len(languages) > 5 else "")  # noqa: PLR2004 - enough to recognise
        raise InvalidRequest(f"model {model!r} does not speak {NAMES[code]!r}; it speaks {known}", param="language")
    return code
