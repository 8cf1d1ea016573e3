// The table of names, and the two ways of reading references: as browsers do, and as a cautious reader would.
// Sources: HTML Living Standard, section 13.2.5 (references) and 13.5 (names); ftfy 6.3 for the second.
#include "text/html_entities.h"

#include <glib.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <string_view>

namespace imgmill {
namespace {

struct Entity {
  std::string_view name;
  char32_t character;
};

/// Sorted by name.
// clang-format off
constexpr Entity kEntities[] = {
    {"AElig", 0xC6}, {"AMP", 0x26}, {"Aacute", 0xC1}, {"Acirc", 0xC2}, {"Agrave", 0xC0}, {"Alpha", 0x391},
    {"Aring", 0xC5}, {"Atilde", 0xC3}, {"Auml", 0xC4}, {"Beta", 0x392}, {"COPY", 0xA9}, {"Ccedil", 0xC7},
    {"Chi", 0x3A7}, {"Dagger", 0x2021}, {"Delta", 0x394}, {"ETH", 0xD0}, {"Eacute", 0xC9}, {"Ecirc", 0xCA},
    {"Egrave", 0xC8}, {"Epsilon", 0x395}, {"Eta", 0x397}, {"Euml", 0xCB}, {"GT", 0x3E}, {"Gamma", 0x393},
    {"Iacute", 0xCD}, {"Icirc", 0xCE}, {"Igrave", 0xCC}, {"Iota", 0x399}, {"Iuml", 0xCF}, {"Kappa", 0x39A},
    {"LT", 0x3C}, {"Lambda", 0x39B}, {"Mu", 0x39C}, {"Ntilde", 0xD1}, {"Nu", 0x39D}, {"OElig", 0x152},
    {"Oacute", 0xD3}, {"Ocirc", 0xD4}, {"Ograve", 0xD2}, {"Omega", 0x3A9}, {"Omicron", 0x39F},
    {"Oslash", 0xD8}, {"Otilde", 0xD5}, {"Ouml", 0xD6}, {"Phi", 0x3A6}, {"Pi", 0x3A0}, {"Prime", 0x2033},
    {"Psi", 0x3A8}, {"QUOT", 0x22}, {"REG", 0xAE}, {"Rho", 0x3A1}, {"Scaron", 0x160}, {"Sigma", 0x3A3},
    {"THORN", 0xDE}, {"TRADE", 0x2122}, {"Tau", 0x3A4}, {"Theta", 0x398}, {"Uacute", 0xDA}, {"Ucirc", 0xDB}, {"Ugrave", 0xD9},
    {"Upsilon", 0x3A5}, {"Uuml", 0xDC}, {"Xi", 0x39E}, {"Yacute", 0xDD}, {"Yuml", 0x178}, {"Zeta", 0x396},
    {"aacute", 0xE1}, {"acirc", 0xE2}, {"acute", 0xB4}, {"aelig", 0xE6}, {"agrave", 0xE0},
    {"alefsym", 0x2135}, {"alpha", 0x3B1}, {"amp", 0x26}, {"and", 0x2227}, {"ang", 0x2220}, {"apos", 0x27},
    {"aring", 0xE5}, {"asymp", 0x2248}, {"atilde", 0xE3}, {"auml", 0xE4}, {"bdquo", 0x201E}, {"beta", 0x3B2},
    {"brvbar", 0xA6}, {"bull", 0x2022}, {"cap", 0x2229}, {"ccedil", 0xE7}, {"cedil", 0xB8}, {"cent", 0xA2},
    {"chi", 0x3C7}, {"circ", 0x2C6}, {"clubs", 0x2663}, {"cong", 0x2245}, {"copy", 0xA9}, {"crarr", 0x21B5},
    {"cup", 0x222A}, {"curren", 0xA4}, {"dArr", 0x21D3}, {"dagger", 0x2020}, {"darr", 0x2193}, {"deg", 0xB0},
    {"delta", 0x3B4}, {"diams", 0x2666}, {"divide", 0xF7}, {"eacute", 0xE9}, {"ecirc", 0xEA},
    {"egrave", 0xE8}, {"empty", 0x2205}, {"emsp", 0x2003}, {"ensp", 0x2002}, {"epsilon", 0x3B5},
    {"equiv", 0x2261}, {"eta", 0x3B7}, {"eth", 0xF0}, {"euml", 0xEB}, {"euro", 0x20AC}, {"exist", 0x2203},
    {"fnof", 0x192}, {"forall", 0x2200}, {"frac12", 0xBD}, {"frac14", 0xBC}, {"frac34", 0xBE},
    {"frasl", 0x2044}, {"gamma", 0x3B3}, {"ge", 0x2265}, {"gt", 0x3E}, {"hArr", 0x21D4}, {"harr", 0x2194},
    {"hearts", 0x2665}, {"hellip", 0x2026}, {"iacute", 0xED}, {"icirc", 0xEE}, {"iexcl", 0xA1},
    {"igrave", 0xEC}, {"image", 0x2111}, {"infin", 0x221E}, {"int", 0x222B}, {"iota", 0x3B9},
    {"iquest", 0xBF}, {"isin", 0x2208}, {"iuml", 0xEF}, {"kappa", 0x3BA}, {"lArr", 0x21D0},
    {"lambda", 0x3BB}, {"lang", 0x27E8}, {"laquo", 0xAB}, {"larr", 0x2190}, {"lceil", 0x2308},
    {"ldquo", 0x201C}, {"le", 0x2264}, {"lfloor", 0x230A}, {"lowast", 0x2217}, {"loz", 0x25CA},
    {"lrm", 0x200E}, {"lsaquo", 0x2039}, {"lsquo", 0x2018}, {"lt", 0x3C}, {"macr", 0xAF}, {"mdash", 0x2014},
    {"micro", 0xB5}, {"middot", 0xB7}, {"minus", 0x2212}, {"mu", 0x3BC}, {"nabla", 0x2207}, {"nbsp", 0xA0},
    {"ndash", 0x2013}, {"ne", 0x2260}, {"ni", 0x220B}, {"not", 0xAC}, {"notin", 0x2209}, {"nsub", 0x2284},
    {"ntilde", 0xF1}, {"nu", 0x3BD}, {"oacute", 0xF3}, {"ocirc", 0xF4}, {"oelig", 0x153}, {"ograve", 0xF2},
    {"oline", 0x203E}, {"omega", 0x3C9}, {"omicron", 0x3BF}, {"oplus", 0x2295}, {"or", 0x2228},
    {"ordf", 0xAA}, {"ordm", 0xBA}, {"oslash", 0xF8}, {"otilde", 0xF5}, {"otimes", 0x2297}, {"ouml", 0xF6},
    {"para", 0xB6}, {"part", 0x2202}, {"permil", 0x2030}, {"perp", 0x22A5}, {"phi", 0x3C6}, {"pi", 0x3C0},
    {"piv", 0x3D6}, {"plusmn", 0xB1}, {"pound", 0xA3}, {"prime", 0x2032}, {"prod", 0x220F}, {"prop", 0x221D},
    {"psi", 0x3C8}, {"quot", 0x22}, {"rArr", 0x21D2}, {"radic", 0x221A}, {"rang", 0x27E9}, {"raquo", 0xBB},
    {"rarr", 0x2192}, {"rceil", 0x2309}, {"rdquo", 0x201D}, {"real", 0x211C}, {"reg", 0xAE},
    {"rfloor", 0x230B}, {"rho", 0x3C1}, {"rlm", 0x200F}, {"rsaquo", 0x203A}, {"rsquo", 0x2019},
    {"sbquo", 0x201A}, {"scaron", 0x161}, {"sdot", 0x22C5}, {"sect", 0xA7}, {"shy", 0xAD}, {"sigma", 0x3C3},
    {"sigmaf", 0x3C2}, {"sim", 0x223C}, {"spades", 0x2660}, {"sub", 0x2282}, {"sube", 0x2286},
    {"sum", 0x2211}, {"sup", 0x2283}, {"sup1", 0xB9}, {"sup2", 0xB2}, {"sup3", 0xB3}, {"supe", 0x2287},
    {"szlig", 0xDF}, {"tau", 0x3C4}, {"there4", 0x2234}, {"theta", 0x3B8}, {"thetasym", 0x3D1},
    {"thinsp", 0x2009}, {"thorn", 0xFE}, {"tilde", 0x2DC}, {"times", 0xD7}, {"trade", 0x2122},
    {"uArr", 0x21D1}, {"uacute", 0xFA}, {"uarr", 0x2191}, {"ucirc", 0xFB}, {"ugrave", 0xF9}, {"uml", 0xA8},
    {"upsih", 0x3D2}, {"upsilon", 0x3C5}, {"uuml", 0xFC}, {"weierp", 0x2118}, {"xi", 0x3BE},
    {"yacute", 0xFD}, {"yen", 0xA5}, {"yuml", 0xFF}, {"zeta", 0x3B6}, {"zwj", 0x200D}, {"zwnj", 0x200C},
};
// clang-format on

constexpr size_t kLongestName = 8;  // thetasym

const Entity* Find(std::u32string_view name) {
  if (name.empty() || name.size() > kLongestName) return nullptr;
  std::string ascii;
  for (const char32_t c : name) {
    if (c > 0x7F) return nullptr;
    ascii += static_cast<char>(c);
  }
  const auto found = std::lower_bound(std::begin(kEntities), std::end(kEntities), ascii,
                                      [](const Entity& a, const std::string& b) { return a.name < b; });
  return found != std::end(kEntities) && found->name == ascii ? found : nullptr;
}

/// The names of Latin-1's characters are older than the semicolon's being needed. "apos" is not one of them.
bool NeedsNoSemicolon(const Entity& entity) {
  return entity.character <= 0xFF && entity.name != "apos";
}

bool IsDigit(char32_t c) {
  return c >= '0' && c <= '9';
}
bool IsHexDigit(char32_t c) {
  return c < 0x80 && g_ascii_isxdigit(static_cast<gchar>(c));
}
bool IsAsciiWord(char32_t c) {
  return c < 0x80 && g_ascii_isalnum(static_cast<gchar>(c));
}

/// What a number stands for; empty for what is no character.
std::u32string Numbered(char32_t number) {
  constexpr char32_t kReplacement = 0xFFFD;
  if (number == 0 || (number >= 0xD800 && number <= 0xDFFF) || number > 0x10FFFF) return {kReplacement};
  if (number >= 0x80 && number <= 0x9F) return {Windows1252(number)};
  const bool control = number < 0x09 || number == 0x0B || (number >= 0x0E && number < 0x20) || number == 0x7F;
  const bool never = (number >= 0xFDD0 && number <= 0xFDEF) || (number & 0xFFFE) == 0xFFFE;
  if (control || never) return {};
  return {number};
}

/// "#233" or "#xE9" at the front of `text`.
struct Number {
  char32_t value = 0;
  size_t length = 0;
};
std::optional<Number> ReadNumber(std::u32string_view text) {
  if (text.empty() || text[0] != '#') return std::nullopt;
  const bool hex = text.size() > 2 && (text[1] == 'x' || text[1] == 'X') && IsHexDigit(text[2]);
  Number number;
  size_t at = hex ? 2 : 1;
  for (; at < text.size() && (hex ? IsHexDigit(text[at]) : IsDigit(text[at])); ++at) {
    const auto digit = static_cast<char32_t>(g_ascii_xdigit_value(static_cast<gchar>(text[at])));
    number.value = std::min<char32_t>(number.value * (hex ? 16 : 10) + digit, 0x110000);
  }
  if (at == 1) return std::nullopt;
  number.length = at;
  return number;
}

/// What stands for the reference behind an ampersand, and how much of `text` it takes; nothing if it is none.
struct Reference {
  std::u32string stands_for;
  size_t length = 0;
};

std::optional<Reference> ByStandard(std::u32string_view text) {
  constexpr std::u32string_view kNoName = U"\t\n\f <&#;";
  constexpr size_t kLongest = 32;
  if (const std::optional<Number> number = ReadNumber(text)) {
    const bool closed = number->length < text.size() && text[number->length] == ';';
    return Reference{Numbered(number->value), number->length + closed};
  }
  const size_t end = std::min({text.find_first_of(kNoName), text.size(), kLongest});
  const Entity* const whole = Find(text.substr(0, end));
  if (whole != nullptr && end < text.size() && text[end] == ';')
    return Reference{{whole->character}, end + 1};
  for (size_t length = std::min(end, kLongestName); length > 1; --length) {
    const Entity* const beginning = Find(text.substr(0, length));
    if (beginning != nullptr && NeedsNoSemicolon(*beginning))
      return Reference{{beginning->character}, length};
  }
  return std::nullopt;
}

std::optional<Reference> IfSure(std::u32string_view text) {
  if (const std::optional<Number> number = ReadNumber(text)) {
    const std::u32string stands_for = Numbered(number->value);
    const bool closed = number->length < text.size() && text[number->length] == ';';
    if (!closed || number->length > 25 || stands_for == U";") return std::nullopt;
    return Reference{stands_for, number->length + 1};
  }
  const size_t end = static_cast<size_t>(
      std::find_if_not(text.begin(), text.end(), [](char32_t c) { return IsAsciiWord(c); }) - text.begin());
  if (end == text.size() || text[end] != ';') return std::nullopt;
  if (const Entity* const found = Find(text.substr(0, end))) return Reference{{found->character}, end + 1};
  std::u32string lower;
  for (const char32_t c : text.substr(0, end)) {
    if (c >= 'a' && c <= 'z') return std::nullopt;
    lower += c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
  }
  const Entity* const found = Find(lower);
  if (found == nullptr) return std::nullopt;
  if (found->character == U'ß') return Reference{U"SS", end + 1};
  return Reference{{static_cast<char32_t>(g_unichar_toupper(found->character))}, end + 1};
}

template <typename Read>
std::u32string Unescaped(const std::u32string& text, const Read& read) {
  std::u32string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const std::optional<Reference> found =
        text[i] == '&' ? read(std::u32string_view(text).substr(i + 1)) : std::nullopt;
    out += found ? found->stands_for : std::u32string(1, text[i]);
    if (found) i += found->length;
  }
  return out;
}

}  // namespace

char32_t Windows1252(char32_t control) {
  constexpr std::array<char32_t, 32> kTable = {
      0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
      0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
      0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
  return control >= 0x80 && control <= 0x9F ? kTable[control - 0x80] : control;
}

std::u32string UnescapedByStandard(const std::u32string& text) {
  return Unescaped(text, ByStandard);
}

std::u32string UnescapedIfSure(const std::u32string& text) {
  return Unescaped(text, IfSure);
}

}  // namespace imgmill
