// After Radiance's "File Formats" (filefmts.pdf): a first line, variables and comments, an empty line, and
// the line of sides.
#include "radiance.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "byte_stream.h"
#include "patched_source.h"

namespace imgmill {
namespace {

constexpr std::string_view kFirst = "#?RADIANCE";
constexpr std::string_view kOther = "#?RGBE";  // Ward's rgbe.c, and OpenCV
// Comments may be of any length, but not that of a file.
constexpr int64_t kLongestHeader = int64_t{1} << 20;

/// Nothing at the end of the file, and beyond kLongestHeader. Windows' programs end lines with two bytes.
std::optional<std::string> Line(ByteStream& bytes) {
  std::string line;
  if (!ReadHeaderLine(bytes, kLongestHeader, line)) return std::nullopt;
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

std::vector<std::string> Words(const std::string& line) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char c : line) {
    const bool space = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (!space && !inside) words.emplace_back();
    if (!space) words.back().push_back(c);
    inside = !space;
  }
  return words;
}

bool IsNumber(const std::string& word) {
  return std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Error Refused(const std::string& what) {
  return {Stage::kProbe, Code::kUnsupported, what};
}

}  // namespace

std::optional<Error> RefuseRadiance(const InputFile& file) {
  constexpr size_t kUsualHeader = 512;
  ByteStream bytes(file, 0, kUsualHeader);
  for (;;) {
    const std::optional<std::string> line = Line(bytes);
    if (!line) return Error{Stage::kProbe, Code::kMalformed, "a Radiance file whose header does not end"};
    if (line->empty()) break;
    constexpr std::string_view kFormat = "FORMAT=";
    if (!line->starts_with(kFormat)) continue;
    const std::vector<std::string> words = Words(line->substr(kFormat.size()));
    const std::string format = words.empty() ? "" : words[0];
    if (format == "32-bit_rle_xyze")
      return Refused("a Radiance file in XYZE (convert it to RGBE, by Radiance's ra_xyze -r)");
    if (format != "32-bit_rle_rgbe")
      return Refused("a Radiance file of the format \"" + format.substr(0, 40) + "\", which is not RGBE");
  }
  const std::optional<std::string> line = Line(bytes);
  const std::vector<std::string> sides = line ? Words(*line) : std::vector<std::string>();
  if (sides.size() != 4 || !IsNumber(sides[1]) || !IsNumber(sides[3]))
    return Error{Stage::kProbe, Code::kMalformed,
                 "a Radiance file without the line of its sides (-Y N +X N)"};
  if (sides[0] == "-Y" && sides[2] == "+X") return std::nullopt;
  return Refused("a Radiance file whose pixels do not go from left to right and top to bottom (-Y N +X N)");
}

GRef<VipsSource> SourceOf(const InputFile& file, const FileHead& head) {
  if (head.text().starts_with(kOther))
    return PatchedSource(file, {0, static_cast<int64_t>(kOther.size()), std::string(kFirst)});
  if (!file.plain()) return PatchedSource(file, {});
  return GRef<VipsSource>(vips_source_new_from_descriptor(file.descriptor()));
}

}  // namespace imgmill
