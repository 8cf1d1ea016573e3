// ftfy's repairs one after the other until none changes anything; Python's split and lower.
// Sources: ftfy 6.3, open_clip 3.3, the Unicode Standard, section 3.13 (cases).
#include "text/clean_text.h"

#include <glib.h>

#include <algorithm>
#include <memory>

#include "text/html_entities.h"

namespace imgmill {
namespace {

std::u32string Normal(std::u32string_view text, GNormalizeMode mode) {
  const std::string bytes = ToUtf8(text);
  const std::unique_ptr<gchar, decltype(&g_free)> normal(
      g_utf8_normalize(bytes.data(), static_cast<gssize>(bytes.size()), mode), &g_free);
  if (normal == nullptr) return std::u32string(text);  // U+0000 and the like
  return FromUtf8(normal.get()).value_or(std::u32string(text));
}

/// Letters that are two for the sake of old printers or tables.
struct Ligature {
  char32_t whole;
  std::u32string_view parts;
};
constexpr Ligature kLigatures[] = {
    {0x132, U"IJ"},       {0x133, U"ij"},  {0x149, U"'n"},  {0x1C4, U"D\u017D"}, {0x1C5, U"D\u017E"},
    {0x1C6, U"d\u017E"},  {0x1C7, U"LJ"},  {0x1C8, U"Lj"},  {0x1C9, U"lj"},      {0x1CA, U"NJ"},
    {0x1CB, U"Nj"},       {0x1CC, U"nj"},  {0x1F1, U"DZ"},  {0x1F2, U"Dz"},      {0x1F3, U"dz"},
    {0xFB00, U"ff"},      {0xFB01, U"fi"}, {0xFB02, U"fl"}, {0xFB03, U"ffi"},    {0xFB04, U"ffl"},
    {0xFB05, U"\u017Ft"}, {0xFB06, U"st"}};

bool IsIn(char32_t c, char32_t first, char32_t last) {
  return c >= first && c <= last;
}

/// Control characters that nobody means, those that belong to old forms of markup, and the byte order mark.
bool IsDropped(char32_t c) {
  return c < 0x09 || c == 0x0B || IsIn(c, 0x0E, 0x1F) || c == 0x7F || IsIn(c, 0x206A, 0x206F) ||
         c == 0xFEFF || IsIn(c, 0xFFF9, 0xFFFC);
}

/// The plain form of one character.
std::u32string Plain(char32_t c) {
  if (IsIn(c, 0x80, 0x9F)) return {Windows1252(c)};
  if (c == 0x2BC || IsIn(c, 0x2018, 0x201B)) return U"'";
  if (IsIn(c, 0x201C, 0x201F)) return U"\"";
  if (c == '\r' || c == 0x2028 || c == 0x2029) return U"\n";
  if (c == 0x3000) return U" ";
  if (IsIn(c, 0xFF01, 0xFFEF)) return Normal(std::u32string_view(&c, 1), G_NORMALIZE_NFKC);
  for (const Ligature& ligature : kLigatures) {
    if (ligature.whole == c) return std::u32string(ligature.parts);
  }
  return {c};
}

/// Colours and the like that were copied from a terminal: ESC [ numbers letter.
std::u32string WithoutTerminalEscapes(const std::u32string& text) {
  std::u32string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == 0x1B && i + 1 < text.size() && text[i + 1] == '[') {
      size_t end = i + 2;
      while (end < text.size() && (g_unichar_isdigit(text[end]) || text[end] == ';')) ++end;
      if (end < text.size() && text[end] < 0x80 && g_ascii_isalpha(static_cast<gchar>(text[end]))) {
        i = end;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

std::u32string Repaired(std::u32string line, bool html) {
  while (true) {
    std::u32string next;
    for (const char32_t c : html ? UnescapedIfSure(line) : line) next += Plain(c);
    next = WithoutTerminalEscapes(next);
    std::erase_if(next, IsDropped);
    next = Normal(next, G_NORMALIZE_NFC);
    if (next == line) return line;
    line = std::move(next);
  }
}

/// Line by line. From the first line on that looks like HTML itself, references are not its mistakes.
std::u32string Repaired(const std::u32string& text) {
  std::u32string out;
  bool html = true;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(U'\n', begin), text.size() - 1) + 1;
    std::u32string line = text.substr(begin, end - begin);
    html = html && line.find(U'<') == std::u32string::npos;
    out += Repaired(std::move(line), html);
    begin = end;
  }
  return out;
}

/// What Python's str.split takes for white space.
bool IsSpace(char32_t c) {
  return IsIn(c, 0x09, 0x0D) || IsIn(c, 0x1C, 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         IsIn(c, 0x2000, 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::u32string WithSingleSpaces(const std::u32string& text) {
  std::u32string out;
  bool pending = false;
  for (const char32_t c : text) {
    if (IsSpace(c)) {
      pending = !out.empty();
      continue;
    }
    if (pending) out += U' ';
    pending = false;
    out += c;
  }
  return out;
}

bool IsCased(char32_t c) {
  return g_unichar_isupper(c) || g_unichar_islower(c) || g_unichar_istitle(c);
}

/// What does not part the letters of a word.
bool IsCaseIgnorable(char32_t c) {
  switch (g_unichar_type(c)) {
    case G_UNICODE_NON_SPACING_MARK:
    case G_UNICODE_ENCLOSING_MARK:
    case G_UNICODE_FORMAT:
    case G_UNICODE_MODIFIER_LETTER:
    case G_UNICODE_MODIFIER_SYMBOL:
      return true;
    default:
      return c == '\'' || c == '.' || c == ':' || c == 0xB7;
  }
}

/// A sigma has another form at the end of a word of more than one letter.
bool EndsWord(const std::u32string& text, size_t at) {
  size_t before = at, after = at + 1;
  while (before > 0 && IsCaseIgnorable(text[before - 1])) --before;
  while (after < text.size() && IsCaseIgnorable(text[after])) ++after;
  return before > 0 && IsCased(text[before - 1]) && (after == text.size() || !IsCased(text[after]));
}

std::u32string Lowered(const std::u32string& text) {
  std::u32string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == 0x130) {
      out += U"i\u0307";
    } else if (text[i] == 0x3A3) {
      out += EndsWord(text, i) ? char32_t{0x3C2} : char32_t{0x3C3};
    } else if (IsIn(text[i], 0x2160, 0x216F)) {
      out += text[i] + 16;  // Roman numerals and circled letters, which glib lowers as little as other signs
    } else if (IsIn(text[i], 0x24B6, 0x24CF)) {
      out += text[i] + 26;
    } else {
      out += static_cast<char32_t>(g_unichar_tolower(text[i]));
    }
  }
  return out;
}

}  // namespace

std::optional<std::u32string> FromUtf8(std::string_view bytes) {
  std::string text(bytes);
  std::erase(text, '\0');  // at which glib would stop
  if (!g_utf8_validate_len(text.data(), text.size(), nullptr)) return std::nullopt;
  std::u32string out;
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at < end; at = g_utf8_next_char(at)) out += g_utf8_get_char(at);
  return out;
}

std::string ToUtf8(std::u32string_view text) {
  std::string out;
  char bytes[6];
  for (const char32_t c : text) out.append(bytes, static_cast<size_t>(g_unichar_to_utf8(c, bytes)));
  return out;
}

std::u32string CleanText(const std::u32string& text) {
  return Lowered(WithSingleSpaces(UnescapedByStandard(UnescapedByStandard(Repaired(text)))));
}

}  // namespace imgmill
