// After Netpbm's manual pages pbm(5), pgm(5), ppm(5) and pam(5), and Debevec's "PFM Portable FloatMap Image
// Format".
#include "pnm_header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "base/try.h"
#include "pnm_words.h"

namespace imgmill {
namespace {

// A comment may be of any length, but not that of a file.
constexpr int64_t kLongestHeader = int64_t{1} << 20;
constexpr size_t kUsualHeader = 512;
constexpr uint32_t kMostWhite = 65535;

Error Malformed(Stage stage, const std::string& what) {
  return {stage, Code::kMalformed, what};
}

/// Checks what all kinds have, and takes it over.
Status Take(PnmHeader& header, int64_t width, int64_t height, int64_t white, Stage stage) {
  if (width < 1 || height < 1 || white < 1) {
    return Malformed(stage, "a PNM header whose width, height and largest value are not all numbers above 0");
  }
  if (white > kMostWhite) {
    return Error{stage, Code::kUnsupported, "its samples go beyond 65535, the most that PNM allows"};
  }
  header.width = width;
  header.height = height;
  header.white = static_cast<uint32_t>(white);
  return {};
}

/// PFM's third word: its sign tells the order of bytes. What its size means, readers do not agree on.
Result<bool> IsLittleEndian(const std::string& scale, Stage stage) {
  const char* begin = scale.data() + (scale.starts_with('+') ? 1 : 0);
  double value = 0;
  const auto [end, error] = std::from_chars(begin, scale.data() + scale.size(), value);
  if (error != std::errc() || end != scale.data() + scale.size() || !std::isfinite(value) || value == 0)
    return Malformed(stage, "a PFM header whose scale is 0 or not a number");
  return value < 0;
}

Result<PnmHeader> ReadWords(const InputFile& file, char kind, Stage stage) {
  PnmWords words(file, 2, kUsualHeader, kLongestHeader);
  PnmHeader header;
  const int64_t width = words.Number();
  const int64_t height = words.Number();
  const bool bits = kind == '1' || kind == '4';
  const bool floats = kind == 'F' || kind == 'f';
  TRY(Take(header, width, height, bits || floats ? 1 : words.Number(), stage));
  header.bands = kind == '3' || kind == '6' || kind == 'F' ? 3 : 1;
  if (floats) {
    const bool little = TRY(IsLittleEndian(words.Text(), stage));
    header.little_endian = little;
  }
  using Pixels = PnmHeader::Pixels;
  header.pixels = floats                       ? Pixels::kFloats
                  : kind == '1'                ? Pixels::kTextBits
                  : kind == '2' || kind == '3' ? Pixels::kText
                  : kind == '4'                ? Pixels::kBits
                                               : Pixels::kNumbers;
  header.pixels_at = words.offset();
  return header;
}

std::string WithoutSpaceAround(const std::string& line) {
  constexpr const char* kSpace = " \t\r\v\f";
  const size_t begin = line.find_first_not_of(kSpace);
  if (begin == std::string::npos) return {};
  return line.substr(begin, line.find_last_not_of(kSpace) + 1 - begin);
}

int64_t NumberOf(const std::string& text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  constexpr int64_t kEnough = int64_t{1} << 40;
  if (error == std::errc::result_out_of_range) return kEnough;
  return error == std::errc() && end == text.data() + text.size() ? std::min(value, kEnough) : -1;
}

/// How many numbers a pixel of a tuple type has; 0 for a type that is not read. Without a type, one is grey
/// and three are colours (Netpbm's and OpenCV's readers).
int BandsOf(const std::string& type, int64_t depth) {
  if (type.empty()) return depth == 1 || depth == 3 ? static_cast<int>(depth) : 0;
  struct Type {
    const char* name;
    int bands;
  };
  constexpr std::array kTypes = {
      Type{"BLACKANDWHITE", 1},       Type{"GRAYSCALE", 1},       Type{"RGB", 3},
      Type{"BLACKANDWHITE_ALPHA", 2}, Type{"GRAYSCALE_ALPHA", 2}, Type{"RGB_ALPHA", 4}};
  const auto* found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const Type& t) { return type == t.name; });
  return found != kTypes.end() ? found->bands : 0;
}

Result<PnmHeader> ReadPam(const InputFile& file, Stage stage) {
  ByteStream bytes(file, 3, kUsualHeader);
  PnmHeader header;
  int64_t width = 0;
  int64_t height = 0;
  int64_t depth = 0;
  int64_t white = 0;
  std::string type;
  for (;;) {
    std::string stored;
    const bool whole = ReadHeaderLine(bytes, kLongestHeader - 1, stored);
    if ((!whole && stored.empty()) || bytes.offset() >= kLongestHeader)
      return Malformed(stage, "a PAM header without its last line, ENDHDR");
    const std::string line = WithoutSpaceAround(stored);
    if (line.empty() || line.starts_with('#')) continue;
    const size_t word = std::min(line.find_first_of(" \t"), line.size());
    const std::string name = line.substr(0, word);
    const std::string value = line.substr(std::min(line.find_first_not_of(" \t", word), line.size()));
    if (name == "ENDHDR") break;
    if (name == "WIDTH") {
      width = NumberOf(value);
    } else if (name == "HEIGHT") {
      height = NumberOf(value);
    } else if (name == "DEPTH") {
      depth = NumberOf(value);
    } else if (name == "MAXVAL") {
      white = NumberOf(value);
    } else if (name == "TUPLTYPE") {
      type += (type.empty() ? "" : " ") + value;
    } else {
      return Malformed(stage, "a PAM header with a line that the format does not know");
    }
  }
  TRY(Take(header, width, height, white, stage));
  header.bands = BandsOf(type, depth);
  if (header.bands == 0 || header.bands != depth) {
    const std::string of =
        type.empty() ? "without a tuple type" : "of the tuple type \"" + type.substr(0, 40) + "\"";
    return Error{stage, Code::kUnsupported,
                 "a PAM file " + of + " with " + std::to_string(std::max<int64_t>(0, depth)) +
                     " numbers a pixel, which is not grey or RGB, with or without alpha (convert it to PNG)"};
  }
  header.pixels_at = bytes.offset();
  return header;
}

}  // namespace

Result<PnmHeader> ReadPnmHeader(const InputFile& file, Stage stage) {
  char magic[2] = {};
  if (!file.ReadExactly(0, magic, sizeof magic)) return Malformed(stage, "the file ends inside its header");
  return magic[1] == '7' ? ReadPam(file, stage) : ReadWords(file, magic[1], stage);
}

}  // namespace imgmill
