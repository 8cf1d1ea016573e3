#include "jpeg2000_tables.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "image/stored_number.h"

namespace imgmill {
namespace {

constexpr size_t kMostLevels = 33;  // of resolution

/// How one component is coded. Sizes as powers of two.
struct Coding {
  size_t levels = 1;  // of resolution
  int block_width = 6;
  int block_height = 6;
  std::array<unsigned char, kMostLevels> precincts =
      {};  // width in the low four bits, height in the high ones
};

/// The part that COD and COC share: the number of decompositions, and what follows.
Coding ReadCoding(const unsigned char* from, size_t bytes, bool own_precincts) {
  Coding coding;
  if (bytes < 5) return coding;
  coding.levels = std::min<size_t>(kMostLevels, size_t{from[0]} + 1);
  coding.block_width = std::min(from[1] + 2, 10);
  coding.block_height = std::min(from[2] + 2, 10);
  coding.precincts.fill(0xFF);
  if (own_precincts) {
    for (size_t i = 0; i < coding.levels && 5 + i < bytes; ++i) coding.precincts[i] = from[5 + i];
  }
  return coding;
}

double Pieces(double length, int power) {
  return std::ceil(std::ldexp(length, -power));
}

/// Of one component of one tile.
struct Count {
  double blocks = 0;
  double precincts = 0;
  double most_precincts = 0;  // of one resolution
  double packets = 0;         // of one layer
};

/// `moved`: it may begin anywhere in a precinct.
Count CountPieces(const Coding& coding, double width, double height, bool moved = false) {
  Count count;
  for (size_t r = 0; r < coding.levels; ++r) {
    const int halvings = static_cast<int>(coding.levels - 1 - r);
    const double across = Pieces(width, halvings);
    const double down = Pieces(height, halvings);
    const int precinct_width = coding.precincts[r] & 15;
    const int precinct_height = coding.precincts[r] >> 4;
    const double precincts = Pieces(across, precinct_width) * Pieces(down, precinct_height);
    count.packets += (Pieces(across, precinct_width) + (moved ? 1 : 0)) *
                     (Pieces(down, precinct_height) + (moved ? 1 : 0));
    // Above the lowest resolution there are three bands of half the size.
    const int half = r == 0 ? 0 : 1;
    const double bands = r == 0 ? 1 : 3;
    const int block_width = std::clamp(precinct_width - half, 0, coding.block_width);
    const int block_height = std::clamp(precinct_height - half, 0, coding.block_height);
    count.blocks += bands * Pieces(std::ceil(across / (1 + half)), block_width) *
                    Pieces(std::ceil(down / (1 + half)), block_height);
    count.precincts += bands * precincts;
    count.most_precincts = std::max(count.most_precincts, precincts);
  }
  return count;
}

int64_t Whole(double bytes) {
  constexpr double kMost = 1e15;  // beyond every budget
  return static_cast<int64_t>(std::min(bytes, kMost));
}

}  // namespace

Jpeg2000Tables ReadJpeg2000Tables(const InputFile& file, const Jpeg2000Layout& layout) {
  constexpr uint64_t kCod = 0xFF52, kCoc = 0xFF53, kTilePart = 0xFF90;
  const auto width = static_cast<double>(layout.width);
  const auto height = static_cast<double>(layout.height);
  const auto tile_width = static_cast<double>(std::max<int64_t>(1, layout.tile_width));
  const auto tile_height = static_cast<double>(std::max<int64_t>(1, layout.tile_height));
  const auto components = static_cast<double>(layout.components);
  double layers = 1;
  Coding coding;
  std::array<unsigned char, 64> segment = {};
  uint64_t at = layout.at + 2;  // behind SOC
  // A main header has some ten segments, and one of each kind for each component.
  constexpr int kMostSegments = 70000;
  for (int i = 0; i < kMostSegments; ++i) {
    if (!file.ReadExactly(at, segment.data(), 4)) break;
    const uint64_t marker = BigEndian(segment.data(), 2);
    const uint64_t length = BigEndian(segment.data() + 2, 2);
    if (marker == kTilePart || marker < 0xFF00 || length < 2) break;
    const size_t bytes = std::min<size_t>(segment.size(), static_cast<size_t>(length) - 2);
    if (!file.ReadExactly(at + 4, segment.data(), bytes)) break;
    const unsigned char* const from = segment.data();
    if (marker == kCod && bytes >= 10) {
      layers = static_cast<double>(BigEndian(from + 2, 2));
      coding = ReadCoding(from + 5, bytes - 5, (from[0] & 1) != 0);
    } else if (marker == kCoc && bytes >= 7) {
      // Of one component; as if it were all of them where that is more.
      const size_t skip = components < 257 ? 1 : 2;
      const Coding own = ReadCoding(from + skip + 1, bytes - skip - 1, (from[skip] & 1) != 0);
      const Count before = CountPieces(coding, width, height);
      const Count after = CountPieces(own, width, height);
      if (after.blocks + after.precincts > before.blocks + before.precincts) coding = own;
    }
    at += 2 + length;
  }

  constexpr double kTile = 9200, kTileComponent = 1100, kBlock = 420, kPrecinct = 260, kLayerPacket = 2;
  Jpeg2000Tables tables;
  const double tiles = std::ceil(width / tile_width) * std::ceil(height / tile_height);
  tables.tiles = Whole(std::max(1.0, tiles));
  tables.while_probed = Whole(tiles * (kTile + components * kTileComponent));
  const Count count =
      CountPieces(coding, std::min(width, tile_width), std::min(height, tile_height), tiles > 1);
  tables.packets = Whole(layers * components * count.packets);
  const double packets =
      (layers + 1) * components * static_cast<double>(coding.levels) * count.most_precincts;
  tables.while_decoded =
      Whole(static_cast<double>(tables.while_probed) +
            components * (count.blocks * kBlock + count.precincts * kPrecinct) + packets * kLayerPacket);
  return tables;
}

}  // namespace imgmill
