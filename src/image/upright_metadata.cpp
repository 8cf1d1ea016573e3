// Works on the bytes as they are stored: what is not understood is left alone, and lengths change only where
// a thumbnail goes.
#include "upright_metadata.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "stored_number.h"

namespace imgmill {
namespace {

constexpr std::string_view kTiffSpace = "http://ns.adobe.com/tiff/1.0/";
constexpr std::string_view kXmpSpace = "http://ns.adobe.com/xap/1.0/";
constexpr std::string_view kExifSpace = "http://ns.adobe.com/exif/1.0/";

// A packet that binds more prefixes to a namespace, or longer ones, is made to waste time: each is searched
// for.
constexpr size_t kMostPrefixes = 8;
constexpr size_t kLongestPrefix = 64;

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool IsQuote(char c) {
  return c == '"' || c == '\'';
}

/// The prefixes that a packet binds to a namespace: xmlns:PREFIX="...", in quotes of either kind.
std::vector<std::string> PrefixesOf(std::string_view xmp, std::string_view space) {
  std::vector<std::string> prefixes;
  for (size_t at = xmp.find("xmlns:"); at != xmp.npos; at = xmp.find("xmlns:", at + 1)) {
    const size_t from = at + 6;
    size_t end = from;
    while (end < xmp.size() && end - from <= kLongestPrefix && !IsSpace(xmp[end]) && xmp[end] != '=') ++end;
    const std::string_view prefix = xmp.substr(from, end - from);
    while (end < xmp.size() && (IsSpace(xmp[end]) || xmp[end] == '=')) ++end;
    if (prefix.empty() || prefix.size() > kLongestPrefix || end >= xmp.size() || !IsQuote(xmp[end])) continue;
    if (xmp.substr(end + 1, space.size()) != space) continue;
    if (end + 1 + space.size() >= xmp.size() || xmp[end + 1 + space.size()] != xmp[end]) continue;
    if (std::find(prefixes.begin(), prefixes.end(), prefix) == prefixes.end()) prefixes.emplace_back(prefix);
    if (prefixes.size() == kMostPrefixes) break;
  }
  return prefixes;
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

/// Where the value of the property begins whose name ends at `at`, as an attribute or an element; npos for
/// none.
size_t ValueBehind(std::string_view xmp, size_t at) {
  while (at < xmp.size() && (IsSpace(xmp[at]) || xmp[at] == '=')) ++at;
  if (at >= xmp.size() || (!IsQuote(xmp[at]) && xmp[at] != '>')) return xmp.npos;
  ++at;
  while (at < xmp.size() && IsSpace(xmp[at])) ++at;
  return at < xmp.size() ? at : xmp.npos;
}

/// That of an orientation.
size_t DigitBehind(std::string_view xmp, size_t at) {
  const size_t value = ValueBehind(xmp, at);
  return value != xmp.npos && xmp[value] >= '1' && xmp[value] <= '8' ? value : xmp.npos;
}

/// Whole numbers only.
void SetNumber(std::string& xmp, const std::string& name, int64_t number) {
  std::string changed;
  size_t done = 0;
  for (size_t at = xmp.find(name); at != xmp.npos; at = xmp.find(name, at + 1)) {
    const size_t value = ValueBehind(xmp, at + name.size());
    if (value == xmp.npos || !IsDigit(xmp[value]) || (at > 0 && xmp[at - 1] == '/')) continue;
    changed.append(xmp, done, value - done).append(std::to_string(number));
    done = value;
    while (done < xmp.size() && IsDigit(xmp[done])) ++done;
  }
  changed.append(xmp, done);
  xmp = std::move(changed);
}

void TakeElementOut(std::string& xmp, const std::string& name) {
  const std::string open = "<" + name, close = "</" + name + ">";
  std::string kept;
  size_t done = 0;
  for (size_t from = xmp.find(open); from != xmp.npos; from = xmp.find(open, done)) {
    const char behind = from + open.size() < xmp.size() ? xmp[from + open.size()] : '\0';
    const size_t end = xmp.find(close, from);
    if ((behind != '>' && !IsSpace(behind)) || end == xmp.npos) break;
    kept.append(xmp, done, from - done);
    done = end + close.size();
  }
  kept.append(xmp, done);
  xmp = std::move(kept);
}

}  // namespace

void MakeXmpUpright(std::vector<uint8_t>& xmp, bool drop_thumbnails) {
  std::string text(xmp.begin(), xmp.end());
  for (const std::string& prefix : PrefixesOf(text, kTiffSpace)) {
    const std::string name = prefix + ":Orientation";
    for (size_t at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
      const size_t digit = DigitBehind(text, at + name.size());
      if (digit != text.npos) text[digit] = '1';
    }
  }
  if (drop_thumbnails) {
    for (const std::string& prefix : PrefixesOf(text, kXmpSpace))
      TakeElementOut(text, prefix + ":Thumbnails");
  }
  xmp.assign(text.begin(), text.end());
}

void SetXmpSize(std::vector<uint8_t>& xmp, int64_t width, int64_t height) {
  std::string text(xmp.begin(), xmp.end());
  for (const std::string& prefix : PrefixesOf(text, kTiffSpace)) {
    SetNumber(text, prefix + ":ImageWidth", width);
    SetNumber(text, prefix + ":ImageLength", height);
  }
  for (const std::string& prefix : PrefixesOf(text, kExifSpace)) {
    SetNumber(text, prefix + ":PixelXDimension", width);
    SetNumber(text, prefix + ":PixelYDimension", height);
  }
  xmp.assign(text.begin(), text.end());
}

void DropExifThumbnail(std::vector<uint8_t>& exif) {
  const size_t start = exif.size() >= 6 && std::memcmp(exif.data(), "Exif\0", 6) == 0 ? 6 : 0;
  if (exif.size() - start < 8) return;
  uint8_t* tiff = exif.data() + start;
  const size_t bytes = exif.size() - start;
  const bool big = tiff[0] == 'M';
  const size_t directory = StoredNumber(tiff + 4, 4, big);
  if (directory > bytes || bytes - directory < 2) return;
  const size_t next = directory + 2 + 12 * StoredNumber(tiff + directory, 2, big);
  if (next > bytes || bytes - next < 4) return;
  std::memset(tiff + next, 0, 4);  // no next directory
}

void DropPhotoshopThumbnail(std::vector<uint8_t>& resources) {
  constexpr char kBegin[] = "Photoshop 3.0";
  if (resources.size() < sizeof kBegin || std::memcmp(resources.data(), kBegin, sizeof kBegin) != 0) return;
  size_t at = sizeof kBegin;
  std::vector<uint8_t> kept(resources.begin(), resources.begin() + sizeof kBegin);
  // Each: "8BIM", number (2), a name with its length before it, padded to even, length (4), bytes, padded.
  while (resources.size() - at >= 12 && std::memcmp(&resources[at], "8BIM", 4) == 0) {
    const uint64_t number = BigEndian(&resources[at + 4], 2);
    const size_t name = (size_t{resources[at + 6]} + 2) / 2 * 2;
    if (resources.size() - at < 6 + name + 4) break;
    const size_t length = BigEndian(&resources[at + 6 + name], 4);
    const size_t whole = 6 + name + 4 + (length + 1) / 2 * 2;
    const size_t end = std::min(at + whole, resources.size());
    if (number != 1033 && number != 1036) {
      kept.insert(kept.end(), resources.begin() + static_cast<std::ptrdiff_t>(at),
                  resources.begin() + static_cast<std::ptrdiff_t>(end));
    }
    at = end;
  }
  kept.insert(kept.end(), resources.begin() + static_cast<std::ptrdiff_t>(at), resources.end());
  resources = std::move(kept);
}

}  // namespace imgmill
