// PGM and PPM in text (P2, P3): libvips takes numbers that are not there for zeros, so they are counted.
#include <cctype>
#include <string>
#include <vector>

#include "missing_end.h"

namespace imgmill {
namespace {

/// The words of a file, comments left out.
class Words {
 public:
  explicit Words(const InputFile& file) : file_(file), piece_(size_t{64} << 10) {}

  /// The next word as a number; -1 at the file's end, or where it is none.
  int64_t Number() {
    int next = Next();
    while (next == '#' || (next >= 0 && std::isspace(next) != 0)) {
      if (next == '#') {
        while (next >= 0 && next != '\n') next = Next();
      }
      if (next >= 0) next = Next();
    }
    if (next < '0' || next > '9') return -1;
    int64_t value = 0;
    for (; next >= '0' && next <= '9'; next = Next()) {
      constexpr int64_t kEnough = int64_t{1} << 40;
      if (value < kEnough) value = value * 10 + (next - '0');
    }
    return value;
  }

 private:
  int Next() {
    if (at_ == have_) {
      const ptrdiff_t got = file_.ReadAt(offset_, piece_.data(), piece_.size());
      if (got <= 0) return -1;
      offset_ += got;
      have_ = static_cast<size_t>(got);
      at_ = 0;
    }
    return piece_[at_++];
  }

  const InputFile& file_;
  std::vector<unsigned char> piece_;
  int64_t offset_ = 2;  // behind "P2" or "P3"
  size_t at_ = 0;
  size_t have_ = 0;
};

}  // namespace

std::optional<Error> FindMissingPnmEnd(const InputFile& file) {
  unsigned char magic[2] = {};
  if (file.ReadAt(0, magic, sizeof magic) != sizeof magic) return std::nullopt;
  Words words(file);
  const int64_t width = words.Number();
  const int64_t height = words.Number();
  const int64_t most = words.Number();
  constexpr int64_t kSide = int64_t{1} << 31;
  if (width < 1 || height < 1 || most < 1 || width > kSide || height > kSide)
    return std::nullopt;  // the decoder says so
  const int64_t wanted = width * (magic[1] == '3' ? 3 : 1);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t i = 0; i < wanted; ++i) {
      if (words.Number() >= 0) continue;
      return Error{Stage::kDecode, Code::kTruncated,
                   "the numbers of its pixels end, or are none, at row " + std::to_string(y) + " of " +
                       std::to_string(height)};
    }
  }
  return std::nullopt;
}

}  // namespace imgmill
