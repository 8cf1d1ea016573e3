// How far hashes from a scaled grey decode lie from those of a full decode, and what either finds of known
// duplicates. The figures in docs/hashes.md come from it.
//
// Run: build/release/bin/hash_agreement FOLDER [TRUTH.csv|-] [KIND...]
// TRUTH.csv has a header line and two file names, relative to FOLDER, in its first two columns.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "imgmill/image/reader.h"
#include "imgmill/signals/perceptual_hash.h"
#include "imgmill/similarity/hamming.h"

namespace imgmill {
namespace {

constexpr int kSides[] = {32, 64, 96, 128, 192, 256, 512};
using Hashes = std::vector<Hash256>;  // one a file

// Of this process: what other processes do meanwhile does not count.
double CpuSeconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

// All hashes of one file; `side` 0 is a full decode. Decodes once per kind, so that the time is that of one.
bool HashFile(const std::string& path, int side, HashKind kind, Hash256& hash) {
  const auto header = Probe(path, ImageLimits{});
  if (!header) return false;
  ReadOptions options;
  options.alpha = ReadOptions::Alpha::kDrop;
  options.to_8bit = true;
  if (side > 0) {
    options.bands = ReadOptions::Bands::kGrey;
    options.shrink_to_side = side;
  }
  const auto reader = OpenRows(path, *header, options);
  if (!reader) return false;
  const Layout whole = (*reader)->layout();
  PerceptualHasher hasher(kind, whole);
  Layout strip = whole;
  strip.height = 16;
  Image rows(strip);
  for (int64_t y = 0; y < whole.height; y += strip.height) {
    Layout part = strip;
    part.height = std::min(strip.height, whole.height - y);
    if (!(*reader)->Read(part.height, rows.row(0), part.row_bytes())) return false;
    hasher.Add({rows.row(0), part, part.row_bytes()});
  }
  hash = hasher.Finish();
  return true;
}

using Pair = std::pair<std::string, std::string>;

std::set<Pair> ReadTruth(const char* path) {
  std::set<Pair> truth;
  std::ifstream file(path);
  std::string line, a, b;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::stringstream cells(line);
    std::getline(cells, a, ',');
    std::getline(cells, b, ',');
    truth.insert(std::minmax(a, b));
  }
  return truth;
}

void PrintFound(const std::vector<std::string>& names, const Hashes& hashes, const std::set<Pair>& truth,
                int radius) {
  size_t found = 0, others = 0;
  for (const HammingPair& pair : PairsWithinScalar(std::span<const Hash256>(hashes), radius)) {
    (truth.contains(std::minmax(names[pair.a], names[pair.b])) ? found : others) += 1;
  }
  std::printf(" | %zu of %zu, %zu others", found, truth.size(), others);
}

int Main(int argc, char** argv) {
  if (argc < 2) return 2;
  InitImageLibraries();
  const std::string folder = argv[1];
  const std::set<Pair> truth = argc > 2 ? ReadTruth(argv[2]) : std::set<Pair>{};
  const std::vector<std::string> wanted(argv + std::min(argc, 3), argv + argc);

  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string name = std::filesystem::relative(entry.path(), folder).string();
    Hash256 hash{};
    if (entry.is_regular_file() && HashFile(entry.path().string(), 0, HashKind::kAhash, hash)) {
      names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());

  std::printf("%zu files\n", names.size());
  for (const HashKind kind : kHashKinds) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), ToString(kind)) == wanted.end()) continue;
    Hashes full;
    std::vector<int> sides = {0};
    sides.insert(sides.end(), std::begin(kSides), std::end(kSides));
    for (const int side : sides) {
      Hashes hashes(names.size());
      const double start = CpuSeconds();
      for (size_t i = 0; i < names.size(); ++i) {
        if (!HashFile(folder + "/" + names[i], side, kind, hashes[i])) return 1;
      }
      const double rate = static_cast<double>(names.size()) / (CpuSeconds() - start);
      if (side == 0) full = hashes;
      std::map<int, size_t> histogram;
      for (size_t i = 0; i < names.size(); ++i) ++histogram[BitsApart(full[i], hashes[i])];
      std::printf("%s side %3d: %6.0f images a CPU second", std::string(ToString(kind)).c_str(), side, rate);
      if (!truth.empty()) PrintFound(names, hashes, truth, HashBits(kind) == 256 ? 31 : 10);
      std::printf(" | bits:");
      for (const auto& [bits, count] : histogram) std::printf(" %d:%zu", bits, count);
      std::printf("\n");
      std::fflush(stdout);
    }
  }
  return 0;
}

}  // namespace
}  // namespace imgmill

int main(int argc, char** argv) {
  return imgmill::Main(argc, argv);
}
