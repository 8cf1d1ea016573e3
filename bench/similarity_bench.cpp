// Our side of hamming.sh and cosine.sh: makes the seeded data that both sides read, and searches it.
//
// similarity_bench make-hashes FILE N BITS        of 64 or 256 bits, one in five near an earlier one
// similarity_bench make-vectors FILE N DIMENSION  of length 1
// similarity_bench make-near-vectors FILE N DIMENSION  such as models make: of 32 degrees of freedom and a
// little noise, one in five near an earlier one
// similarity_bench pairs FILE BITS RADIUS THREADS [KERNEL]  all pairs, as dedup finds them
// similarity_bench scan FILE BITS RADIUS THREADS [KERNEL]   each hash against every one, without an index
// similarity_bench group-hashes N RADIUS THREADS [KIND [dense]]  groups of N hashes of 64 bits, made in
// memory, as dedup finds them; FOUND is the number of duplicates; KIND is keeper, clique or component; dense:
// 50,000 of them are equal, and 20,000 others at most 10 bits from one another
//
// similarity_bench verify-hashes N RADIUS THREADS [KIND [dense]]  the same with a second look, here one that
// takes no time and finds all alike
//
// similarity_bench nearest FILE DIMENSION QUERIES TOP THREADS [KERNEL]  the first QUERIES against all, as
// match finds them
//
// similarity_bench group FILE DIMENSION LEAST THREADS exact|ivf  groups of all whose cosine is LEAST/1000, as
// dedup finds them; FOUND is the number of duplicates, and ivf also prints lists, probes and recall to stderr
//
// similarity_bench read FILE THREADS  reads a file once where the system has it in memory, 2 MiB mapped at a
// time; FOUND is its size
//
// Each search prints "SECONDS FOUND"; reading the file is not timed.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/mapped_piece.h"
#include "base/unique_fd.h"
#include "bench_hashes.h"
#include "imgmill/similarity/cosine.h"
#include "imgmill/similarity/hamming.h"
#include "imgmill/similarity/ivf_grouping.h"
#include "similarity/dot_kernels.h"
#include "similarity/hamming_scan.h"
#include "similarity/search_threads.h"

namespace imgmill {
namespace {

template <typename T>
std::vector<T> ReadAll(const char* path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  std::vector<T> values(file ? static_cast<size_t>(file.tellg()) / sizeof(T) : 0);
  file.seekg(0);
  file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
  return values;
}

template <typename T>
int WriteAll(const char* path, const std::vector<T>& values) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(T)));
  return file.flush() ? 0 : 1;
}

std::vector<float> Vectors(size_t n, size_t dimension) {
  std::mt19937_64 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> values(n * dimension);
  for (size_t i = 0; i < n; ++i) {
    float* const vector = values.data() + i * dimension;
    float squares = 0;
    for (size_t k = 0; k < dimension; ++k) vector[k] = normal(random), squares += vector[k] * vector[k];
    for (size_t k = 0; k < dimension; ++k) vector[k] /= std::sqrt(squares);
  }
  return values;
}

void Normalise(float* vector, size_t dimension) {
  float squares = 0;
  for (size_t k = 0; k < dimension; ++k) squares += vector[k] * vector[k];
  for (size_t k = 0; k < dimension; ++k) vector[k] /= std::sqrt(squares);
}

std::vector<float> NearVectors(size_t n, size_t dimension) {
  constexpr size_t kFreedom = 32;
  std::mt19937_64 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> spread(kFreedom * dimension), values(n * dimension);
  for (float& value : spread) value = normal(random);
  for (size_t i = 0; i < n; ++i) {
    float* const vector = values.data() + i * dimension;
    const bool near = i > 0 && random() % 5 == 0;
    if (near) {
      std::copy_n(values.data() + random() % i * dimension, dimension, vector);
    } else {
      for (size_t f = 0; f < kFreedom; ++f) {
        const float of = normal(random);
        for (size_t k = 0; k < dimension; ++k) vector[k] += of * spread[f * dimension + k];
      }
      Normalise(vector, dimension);
    }
    // Of a near one, a cosine of 0.95 to 1.
    const float noise = near ? 0.3f * static_cast<float>(random() % 1000) / 1000 : 0.1f;
    const float each = noise / std::sqrt(static_cast<float>(dimension));
    for (size_t k = 0; k < dimension; ++k) vector[k] += each * normal(random);
    Normalise(vector, dimension);
  }
  return values;
}

int Report(const std::function<uint64_t()>& search) {
  const auto start = std::chrono::steady_clock::now();
  const uint64_t found = search();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%.3f %llu\n", seconds, static_cast<unsigned long long>(found));
  return 0;
}

template <typename Hash>
uint64_t Pairs(const std::vector<Hash>& hashes, int radius, int threads) {
  uint64_t found = 0;
  const StopFlag stop;
  const Status searched = PairsWithin(std::span(hashes), radius, threads, stop,
                                      [&](std::span<const HammingPair> block) { found += block.size(); });
  return searched ? found : 0;
}

/// @return pairs of different places, each once
template <typename Hash>
uint64_t Scan(const std::vector<Hash>& hashes, int radius, int threads) {
  const ScanFunction<Hash> scan = BestHammingKernels().ScanOf(Hash{});
  std::vector<uint64_t> blocks(ScanWords<Hash>(hashes.size()));
  for (size_t i = 0; i < hashes.size(); ++i) PutScanned(blocks.data(), i, hashes[i]);
  constexpr size_t kQueries = 256;
  std::atomic<size_t> next{0};
  std::atomic<uint64_t> found{0};
  std::vector<std::thread> crew;
  for (int i = 0; i < threads; ++i) {
    crew.emplace_back([&] {
      std::vector<uint32_t> hits(kScanRun + 16);
      for (size_t first; (first = next.fetch_add(kQueries)) < hashes.size();) {
        const size_t end = std::min(hashes.size(), first + kQueries);
        uint64_t own = 0;
        for (size_t at = 0; at < hashes.size(); at += kScanRun) {
          const size_t run = std::min(kScanRun, hashes.size() - at);
          for (size_t query = first; query < end; ++query)
            own += scan(blocks.data() + at * kWordsOf<Hash>, run, hashes[query], radius, hits.data());
        }
        found += own;
      }
    });
  }
  for (std::thread& thread : crew) thread.join();
  return (found - hashes.size()) / 2;
}

uint64_t Nearest(const std::vector<float>& vectors, size_t dimension, size_t queries, size_t top,
                 int threads) {
  const VectorRows rows{static_cast<int>(dimension), [&](uint64_t first, uint64_t, const auto& see) {
                          see(vectors.data() + first * dimension);
                          return Status();
                        }};
  std::vector<SearchRow> searched(vectors.size() / dimension);
  for (uint32_t i = 0; i < searched.size(); ++i) searched[i] = {i, i};
  const std::vector<uint32_t> nobody(queries, kNobody);
  const StopFlag stop;
  const auto nearest = NearestByCosine(rows, searched, std::span(vectors).first(queries * dimension), nobody,
                                       top, -1, threads, stop);
  // What is found, as one number that does not hang on digits: the sum of places.
  uint64_t sum = 0;
  if (nearest) {
    for (const auto& list : *nearest) {
      for (const Neighbour& each : list) sum += each.id;
    }
  }
  return sum;
}

template <typename Groups>
uint64_t Duplicates(const Groups& groups) {
  uint64_t duplicates = 0;
  if (!groups) return duplicates;
  for (const auto& group : *groups) duplicates += group.members.size();
  return duplicates;
}

/// @return duplicates
uint64_t Group(const std::vector<float>& vectors, size_t dimension, float least, int threads, bool exact) {
  const VectorRows rows{static_cast<int>(dimension), [&](uint64_t first, uint64_t, const auto& see) {
                          see(vectors.data() + first * dimension);
                          return Status();
                        }};
  RankedKeys items(vectors.size() / dimension);
  for (uint32_t i = 0; i < items.keys.size(); ++i) items.keys[i] = items.order[i] = i;
  const StopFlag stop;
  IvfReport report;
  const auto groups = exact ? GroupByCosine(rows, std::move(items), least, threads, stop)
                            : GroupByIvf(rows, std::move(items), least, threads, stop, {}, report);
  if (!exact)
    std::fprintf(stderr, "%zu lists, %zu probes, %zu of %zu pairs\n", report.lists, report.probes,
                 report.found, report.pairs);
  return Duplicates(groups);
}

/// @return bytes
uint64_t ReadMapped(const char* path, int threads) {
  const UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!file.valid() || ::fstat(file.get(), &info) != 0) return 0;
  constexpr size_t kPiece = size_t{2} << 20;
  const auto bytes = static_cast<size_t>(info.st_size);
  std::atomic<size_t> next = 0;
  std::atomic<uint64_t> sum = 0;  // so that nobody leaves out the reading
  OnThreads(threads, [&](int) {
    for (size_t at = next.fetch_add(kPiece); at < bytes; at = next.fetch_add(kPiece)) {
      const size_t count = std::min(kPiece, bytes - at);
      const MappedPiece piece(file.get(), at, count);
      uint64_t words[8] = {};
      for (size_t i = 0; piece.valid() && i + sizeof words <= count; i += sizeof words) {
        uint64_t here[8];
        std::memcpy(here, piece.data() + i, sizeof here);
        for (size_t k = 0; k < 8; ++k) words[k] += here[k];
      }
      for (const uint64_t word : words) sum += word;
    }
  });
  return sum > 0 ? bytes : 0;
}

GroupBy GroupByName(const std::string& name) {
  if (name == "clique") return GroupBy::kClique;
  return name == "component" ? GroupBy::kComponent : GroupBy::kKeeper;
}

int GroupHashes(size_t n, int radius, int threads, bool verified, GroupBy by, bool dense) {
  RankedKeys items(n);
  FillClustered(items.keys.span(), 1);
  if (dense) AddDense(items.keys.span());
  for (uint32_t i = 0; i < n; ++i) items.order[i] = i;
  return Report([&] {
    const StopFlag stop;
    if (!verified) return Duplicates(GroupByHamming(std::move(items), radius, threads, stop, {}, by));
    const Verify verify = [](int, uint32_t, uint32_t, size_t) -> Result<LookVerdict> {
      return LookVerdict{LookVerdict::Kind::kAlike, {}};
    };
    return Duplicates(GroupVerified(std::move(items), {}, radius, verify, threads, stop, {}, by));
  });
}

template <typename Hash>
int Search(const std::string& what, const char* path, int radius, int threads) {
  const auto hashes = ReadAll<Hash>(path);
  return Report([&] {
    return what == "pairs" ? Pairs<Hash>(hashes, radius, threads) : Scan<Hash>(hashes, radius, threads);
  });
}

int Unable(const std::string& kernel) {
  std::fprintf(stderr, "similarity_bench: this machine cannot run %s\n", kernel.c_str());
  return 3;
}

int Main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto number = [&](size_t i) { return std::strtoull(words[i].c_str(), nullptr, 10); };
  const auto count = [&](size_t i) { return static_cast<int>(number(i)); };
  const std::string what = words.empty() ? "" : words[0];
  if (what == "make-hashes" && words.size() == 4) {
    return words[3] == "256" ? WriteAll(argv[2], ClusteredHashes<Hash256>(number(2)))
                             : WriteAll(argv[2], ClusteredHashes(number(2)));
  }
  if (what == "make-vectors" && words.size() == 4) return WriteAll(argv[2], Vectors(number(2), number(3)));
  if ((what == "pairs" || what == "scan") && words.size() >= 5) {
    if (words.size() > 5 && !ChooseHammingKernels(words[5])) return Unable(words[5]);
    return words[2] == "256" ? Search<Hash256>(what, argv[2], count(3), count(4))
                             : Search<uint64_t>(what, argv[2], count(3), count(4));
  }
  if ((what == "group-hashes" || what == "verify-hashes") && words.size() >= 4)
    return GroupHashes(number(1), count(2), count(3), what == "verify-hashes",
                       GroupByName(words.size() > 4 ? words[4] : ""), words.size() > 5);
  if (what == "nearest" && words.size() >= 6) {
    if (words.size() > 6 && !ChooseDotKernel(words[6])) return Unable(words[6]);
    const auto vectors = ReadAll<float>(argv[2]);
    return Report([&] { return Nearest(vectors, number(2), number(3), number(4), count(5)); });
  }
  if (what == "read" && words.size() == 3) return Report([&] { return ReadMapped(argv[2], count(2)); });
  if (what == "make-near-vectors" && words.size() == 4)
    return WriteAll(argv[2], NearVectors(number(2), number(3)));
  if (what == "group" && words.size() == 6) {
    const auto vectors = ReadAll<float>(argv[2]);
    const float least = static_cast<float>(number(3)) / 1000;
    return Report([&] { return Group(vectors, number(2), least, count(4), words[5] == "exact"); });
  }
  std::fprintf(stderr, "similarity_bench: see the head of its source\n");
  return 2;
}

}  // namespace
}  // namespace imgmill

int main(int argc, char** argv) {
  return imgmill::Main(argc, argv);
}
