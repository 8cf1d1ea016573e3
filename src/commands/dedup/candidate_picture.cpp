// The larger picture is made first and the small one from it, so that the image is gone over once.
#include "candidate_picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace imgmill {
namespace {

/// Of its cells: from here on the larger picture is kept.
constexpr double kMuchGround = 0.4;
/// Sides of the small and of the larger picture, two bytes each. The larger one's are 0 where there is none.
using StoredSides = std::array<uint16_t, 4>;

CandidateReader::Sides SidesOf(double width, double height, int most) {
  // A smaller image is read at two thirds of its size, so that an encoder's traces are no difference.
  constexpr double kLongEnough = 64, kPart = 2.0 / 3;
  const double longer = std::max(width, height);
  const double scale =
      std::min(1.0, std::clamp(longer * kPart, kLongEnough, static_cast<double>(most)) / longer);
  const auto side = [&](double length) {
    return std::max<int64_t>(SmallPicture::kLeastSide, std::llround(length * scale));
  };
  return {side(width), side(height)};
}

int CellsOf(int64_t side) {
  return std::max(SmallColours::kLeastSide, static_cast<int>((side + 2) / 4));
}

Layout ColourRows(int64_t width, int64_t height) {
  return {.width = width, .height = height, .bands = 3, .sample = Sample::kU8};
}

uint8_t LumaOf(const uint8_t* pixel) {
  return static_cast<uint8_t>((299 * pixel[0] + 587 * pixel[1] + 114 * pixel[2] + 500) / 1000);
}

void AppendLuma(const uint8_t* pixels, size_t count, std::string& to) {
  for (size_t i = 0; i < count; ++i) to.push_back(static_cast<char>(LumaOf(pixels + 3 * i)));
}

/// Means of about four pixels each way.
void AppendColours(const uint8_t* pixels, int width, int height, std::string& to) {
  const int across = CellsOf(width), down = CellsOf(height);
  for (int row = 0; row < down; ++row) {
    for (int column = 0; column < across; ++column) {
      const int left = column * width / across, right = std::max(left + 1, (column + 1) * width / across);
      const int top = row * height / down, bottom = std::max(top + 1, (row + 1) * height / down);
      const int count = (right - left) * (bottom - top);
      int sums[3] = {};
      for (int y = top; y < bottom; ++y) {
        for (int x = left; x < right; ++x) {
          for (int band = 0; band < 3; ++band) sums[band] += pixels[3 * (y * width + x) + band];
        }
      }
      for (const int sum : sums) to.push_back(static_cast<char>((sum + count / 2) / count));
    }
  }
}

/// Pixels of so many bytes, brought into a pose; where the next ones go.
template <typename Picture>
uint8_t* Turn(const Picture& picture, int bytes, int pose, uint8_t* to, Picture& turned) {
  if (picture.pixels == nullptr) return to;
  const bool swaps = (pose & 4) != 0;
  turned = {swaps ? picture.height : picture.width, swaps ? picture.width : picture.height, to};
  for (int y = 0; y < turned.height; ++y) {
    for (int x = 0; x < turned.width; ++x) {
      int from_x = swaps ? y : x, from_y = swaps ? x : y;
      if ((pose & 1) != 0) from_x = picture.width - 1 - from_x;
      if ((pose & 2) != 0) from_y = picture.height - 1 - from_y;
      to = std::copy_n(picture.pixels + (from_y * picture.width + from_x) * bytes, bytes, to);
    }
  }
  return to;
}

}  // namespace

std::optional<CandidatePicture> CandidatePicture::In(const std::optional<std::string>& fact) {
  StoredSides sides;
  if (!fact || fact->size() < sizeof sides) return std::nullopt;
  std::memcpy(sides.data(), fact->data(), sizeof sides);
  const auto fit = [](int width, int height, int most) {
    return std::min(width, height) >= SmallPicture::kLeastSide && std::max(width, height) <= most;
  };
  CandidatePicture picture;
  const auto* at = reinterpret_cast<const uint8_t*>(fact->data()) + sizeof sides;
  picture.small = {sides[0], sides[1], at};
  picture.colours = {CellsOf(sides[0]), CellsOf(sides[1]), at + size_t{sides[0]} * sides[1]};
  const size_t cells =
      static_cast<size_t>(picture.colours.width) * static_cast<size_t>(picture.colours.height);
  if (sides[2] != 0) picture.large = {sides[2], sides[3], picture.colours.pixels + 3 * cells};
  if (fact->size() != sizeof sides + size_t{sides[0]} * sides[1] + 3 * cells + size_t{sides[2]} * sides[3])
    return std::nullopt;
  if (!fit(sides[0], sides[1], SmallPicture::kLongSide) ||
      (sides[2] != 0 && !fit(sides[2], sides[3], SmallPicture::kLargeSide)))
    return std::nullopt;
  return picture;
}

CandidatePicture CandidatePicture::Turned(int pose, std::span<uint8_t> to) const {
  CandidatePicture turned;
  uint8_t* at = Turn(small, 1, pose, to.data(), turned.small);
  at = Turn(colours, 3, pose, at, turned.colours);
  Turn(large, 1, pose, at, turned.large);
  return turned;
}

CandidateReader::Sides CandidateReader::LargeSides(double width, double height) {
  return SidesOf(width, height, SmallPicture::kLargeSide);
}

CandidateReader::CandidateReader(const Layout& rows, int64_t width, int64_t height)
    : large_sides_(LargeSides(static_cast<double>(width), static_cast<double>(height))),
      small_sides_(SidesOf(static_cast<double>(width), static_cast<double>(height), SmallPicture::kLongSide)),
      large_(rows, large_sides_.width, large_sides_.height),
      small_(ColourRows(large_sides_.width, large_sides_.height), small_sides_.width, small_sides_.height) {}

size_t CandidateReader::PooledBytes(const Layout& rows, int64_t width, int64_t height) {
  const Sides large = LargeSides(static_cast<double>(width), static_cast<double>(height));
  const Sides small =
      SidesOf(static_cast<double>(width), static_cast<double>(height), SmallPicture::kLongSide);
  return SmallResize::PooledBytes(rows, large.width, large.height) +
         SmallResize::PooledBytes(ColourRows(large.width, large.height), small.width, small.height);
}

std::string CandidateReader::Finish() {
  const uint8_t* const large = large_.Finish();
  const Layout rows = ColourRows(large_sides_.width, large_sides_.height);
  small_.Add(ImageView{large, rows, rows.row_bytes()});
  const uint8_t* const small = small_.Finish();
  std::string grey;
  AppendLuma(large, static_cast<size_t>(large_sides_.width * large_sides_.height), grey);
  std::replace(grey.begin(), grey.end(), '\0', '\1');
  const SmallPicture larger = {static_cast<int>(large_sides_.width), static_cast<int>(large_sides_.height),
                               reinterpret_cast<const uint8_t*>(grey.data())};
  const bool keeps = FlatPart(larger) >= kMuchGround;
  const StoredSides sides = {static_cast<uint16_t>(small_sides_.width),
                             static_cast<uint16_t>(small_sides_.height),
                             static_cast<uint16_t>(keeps ? large_sides_.width : 0),
                             static_cast<uint16_t>(keeps ? large_sides_.height : 0)};
  std::string picture(reinterpret_cast<const char*>(sides.data()), sizeof sides);
  AppendLuma(small, static_cast<size_t>(small_sides_.width * small_sides_.height), picture);
  AppendColours(small, static_cast<int>(small_sides_.width), static_cast<int>(small_sides_.height), picture);
  if (keeps) picture += grey;
  return picture;
}

}  // namespace imgmill
