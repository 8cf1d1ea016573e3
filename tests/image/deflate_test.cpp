// What deflates PNG's bands: codes against a plain Huffman tree, streams against zlib's inflate, filters
// against PNG's own words for them.
#include <doctest/doctest.h>
#include <zlib.h>

#include <cstdlib>
#include <cstring>
#include <queue>
#include <random>
#include <string>

#include "image/png/band_deflater.h"
#include "image/png/deflate_code.h"
#include "image/png/png_row_filters.h"

using namespace imgmill;

namespace {

using Bytes = std::vector<uint8_t>;

/// Bits of all symbols with the best code there is: Huffman's algorithm with a queue.
uint64_t BestBits(const std::vector<uint32_t>& counts) {
  std::priority_queue<uint64_t, std::vector<uint64_t>, std::greater<>> left;
  for (const uint32_t count : counts) {
    if (count > 0) left.push(count);
  }
  uint64_t bits = 0;
  while (left.size() > 1) {
    const uint64_t a = left.top();
    left.pop();
    const uint64_t b = left.top();
    left.pop();
    bits += a + b;
    left.push(a + b);
  }
  return bits;
}

/// In units of 2^-15: 32768 where every sequence of bits means something.
uint64_t Taken(const std::vector<uint8_t>& lengths) {
  uint64_t taken = 0;
  for (const uint8_t length : lengths) taken += length > 0 ? 32768U >> length : 0;
  return taken;
}

/// By zlib, which must find an end and use all bytes.
Bytes Inflate(const Bytes& deflated, size_t expected) {
  Bytes out(expected + 1);
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, -15) == Z_OK);
  stream.next_in = const_cast<uint8_t*>(deflated.data());
  stream.avail_in = static_cast<uInt>(deflated.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  CHECK(stream.avail_in == 0);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

Bytes Deflate(BandDeflater& deflater, const Bytes& bytes, bool final) {
  Bytes padded = bytes;
  padded.resize(bytes.size() + BandDeflater::kReadBeyond, 0xEE);
  const size_t bound = BandDeflater::Bound(bytes.size());
  Bytes out(bound + 1, 0xAA);
  const size_t written = deflater.Deflate(padded.data(), bytes.size(), final, out.data());
  CHECK(written <= bound);
  CHECK(out[bound] == 0xAA);
  out.resize(written);
  return out;
}

std::vector<Bytes> Samples() {
  std::mt19937 random(5);
  std::vector<Bytes> samples = {{}, {7}, {7, 7}, Bytes(3, 0), Bytes(100, 200)};
  for (const size_t bytes : {15, 16, 17, 258, 259, 65535, 65536, 65537, 300000}) {
    samples.emplace_back(bytes, 0);
    Bytes noise(bytes), small(bytes), repeated(bytes), mixed(bytes);
    std::geometric_distribution<int> few(0.4);
    const Bytes period = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 200, 201};
    for (size_t i = 0; i < bytes; ++i) {
      noise[i] = static_cast<uint8_t>(random());
      small[i] = static_cast<uint8_t>(random() % 2 == 0 ? few(random) : -few(random));
      repeated[i] = period[i % period.size()];
      // Copies from up to the farthest place of bytes that are rare otherwise: long codes.
      mixed[i] = i > 40000 && i % 5000 < 300 ? mixed[i - 32768] : i % 7 == 0 ? noise[i] : small[i];
    }
    for (const Bytes& one : {noise, small, repeated, mixed}) samples.push_back(one);
  }
  return samples;
}

/// PNG 1.2, section 6: word for word, a byte at a time.
uint8_t FilteredByte(PngFilter filter, int here, int left, int above, int corner) {
  const int p = left + above - corner;
  const int pa = std::abs(p - left), pb = std::abs(p - above), pc = std::abs(p - corner);
  const int paeth = pa <= pb && pa <= pc ? left : pb <= pc ? above : corner;
  const int predicted[] = {0, left, above, (left + above) / 2, paeth};
  return static_cast<uint8_t>(here - predicted[static_cast<size_t>(filter)]);
}

}  // namespace

TEST_CASE("code lengths are those of a Huffman tree, and whole within a limit") {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::vector<uint32_t> counts(2 + random() % 285);
    const unsigned rare = 1 + random() % 4;
    for (uint32_t& count : counts)
      count = random() % rare == 0 ? static_cast<uint32_t>(50 + random() % 1000) : 0;
    counts[0] = counts[1] = 50;
    std::vector<uint8_t> lengths(counts.size());
    MakeCodeLengths(counts, 15, lengths.data());
    CHECK(Taken(lengths) == 32768);
    uint64_t bits = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      CHECK((lengths[i] > 0) == (counts[i] > 0));
      bits += uint64_t{counts[i]} * lengths[i];
    }
    CHECK(bits == BestBits(counts));  // rare ones are not so rare that they need 15 bits
  }
  // Fibonacci's numbers make the deepest tree.
  std::vector<uint32_t> deep = {1, 1};
  while (deep.size() < 30) deep.push_back(deep[deep.size() - 1] + deep[deep.size() - 2]);
  for (const int limit : {5, 7, 14, 15}) {
    std::vector<uint8_t> lengths(deep.size());
    MakeCodeLengths(deep, limit, lengths.data());
    CHECK(Taken(lengths) == 32768);
    for (size_t i = 0; i < deep.size(); ++i) {
      CHECK(lengths[i] <= limit);
      if (i > 0) CHECK(lengths[i] <= lengths[i - 1]);
    }
  }
  for (const size_t alone : {0, 1, 17}) {  // a second code, so that the set is whole
    std::vector<uint32_t> counts(30);
    counts[alone] = 9;
    std::vector<uint8_t> lengths(counts.size());
    MakeCodeLengths(counts, 15, lengths.data());
    CHECK(lengths[alone] == 1);
    CHECK(Taken(lengths) == 32768);
  }
}

TEST_CASE("zlib inflates what is deflated at every level, alone and joined") {
  const std::vector<Bytes> samples = Samples();
  for (int level = 0; level <= 9; ++level) {
    CAPTURE(level);
    BandDeflater deflater(level);
    Bytes all, joined;
    for (const Bytes& sample : samples) {
      CAPTURE(sample.size());
      CHECK(Inflate(Deflate(deflater, sample, true), sample.size()) == sample);
      all.insert(all.end(), sample.begin(), sample.end());
      const Bytes piece = Deflate(deflater, sample, false);
      joined.insert(joined.end(), piece.begin(), piece.end());
      CHECK(piece == Deflate(deflater, sample, false));  // nothing is remembered
    }
    const Bytes end = Deflate(deflater, samples[1], true);
    joined.insert(joined.end(), end.begin(), end.end());
    all.push_back(samples[1][0]);
    CHECK(Inflate(joined, all.size()) == all);
  }
}

TEST_CASE("deflated sizes: noise grows by its headers, repetition shrinks to next to nothing") {
  Bytes noise(200000), flat(200000);
  std::mt19937 random(2);
  for (uint8_t& byte : noise) byte = static_cast<uint8_t>(random());
  for (int level = 1; level <= 9; ++level) {
    BandDeflater deflater(level);
    // A stored block has a header of five bytes, and there is one for each 16384 bytes at least.
    CHECK(Deflate(deflater, noise, true).size() <= noise.size() + 80);
    CHECK(Deflate(deflater, flat, true).size() < 800);  // 258 bytes a match, two bits each, by hand: 200
  }
}

TEST_CASE("every instruction set filters rows as PNG says, whatever their width") {
  std::mt19937 random(3);
  for (const PngRowKernels& kernels : AvailablePngRowKernels()) {
    CAPTURE(kernels.name);
    for (const size_t pixel : {1, 2, 3, 4, 6, 8}) {
      for (size_t bytes = pixel; bytes <= 9000; bytes += bytes < 150 ? pixel : 8611) {
        Bytes row(kPngRowMargin + bytes), above(row.size());
        for (size_t i = kPngRowMargin; i < row.size(); ++i) {
          // Extremes and equal neighbours, where comparisons decide.
          const unsigned kind = random() % 4;
          row[i] = static_cast<uint8_t>(kind == 0 ? 255 : kind == 1 ? 0 : random());
          above[i] = static_cast<uint8_t>(kind == 2 ? row[i] : random() % 5 == 0 ? row[i - pixel] : random());
        }
        const auto costs =
            kernels.costs(row.data() + kPngRowMargin, above.data() + kPngRowMargin, bytes, pixel);
        for (size_t f = 0; f < kPngFilters; ++f) {
          const auto filter = static_cast<PngFilter>(f);
          Bytes expected(bytes), found(bytes + 1, 0xAA);
          uint64_t cost = 0;
          for (size_t i = 0; i < bytes; ++i) {
            const size_t at = kPngRowMargin + i;
            expected[i] = FilteredByte(filter, row[at], row[at - pixel], above[at], above[at - pixel]);
            cost += static_cast<uint64_t>(std::abs(static_cast<int8_t>(expected[i])));
          }
          kernels.filter(filter, row.data() + kPngRowMargin, above.data() + kPngRowMargin, bytes, pixel,
                         found.data());
          CHECK(found.back() == 0xAA);
          found.pop_back();
          REQUIRE(found == expected);
          REQUIRE(costs[f] == cost);
        }
      }
    }
  }
  CHECK(ChoosePngFilter({5, 4, 3, 3, 9}) == PngFilter::kUp);
}
