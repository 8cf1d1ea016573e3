// What malloc keeps of freed memory, with glibc's own settings and with ours: threads that allocate and free
// as decoders and encoders do, small blocks that live a while among large ones that come and go.
//
// Usage: malloc_perftest default|ours [THREADS]; each in a process of its own, since settings cannot be taken
// back.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "imgmill/memory/system_memory.h"
#include "memory/malloc_settings.h"

namespace {

constexpr int kImages = 400;

double Mib(size_t bytes) {
  return static_cast<double>(bytes) / 1048576;
}

/// Of each image a few notes stay for the next eight images; everything else is freed at its end.
void Work(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::vector<void*>> notes(8);
  for (int image = 0; image < kImages; ++image) {
    std::vector<void*>& kept = notes[static_cast<size_t>(image) % notes.size()];
    for (void* block : kept) std::free(block);
    kept.clear();
    std::vector<void*> working;
    for (int i = 0; i < 300; ++i) {
      const size_t bytes = i % 30 == 0 ? 100'000 + random() % 2'000'000 : 50 + random() % 20'000;
      void* block = std::malloc(bytes);
      std::memset(block, 1, bytes);
      if (i % 15 == 1) {
        kept.push_back(block);
      } else {
        working.push_back(block);
      }
    }
    for (void* block : working) std::free(block);
  }
  for (const auto& kept : notes) {
    for (void* block : kept) std::free(block);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool ours = argc > 1 && std::string(argv[1]) == "ours";
  const int threads = argc > 2 ? std::atoi(argv[2]) : 4;
  if (ours) imgmill::TameMalloc();
  const size_t before = imgmill::ReadProcessMemory().resident;
  std::vector<std::jthread> workers;
  for (int i = 0; i < threads; ++i) workers.emplace_back([i] { Work(static_cast<unsigned>(i)); });
  workers.clear();
  const imgmill::ProcessMemory after = imgmill::ReadProcessMemory();
  imgmill::TrimMalloc();
  std::printf("| %s | %.1f | %.1f | %.1f |\n", ours ? "ours" : "glibc's own",
              Mib(after.peak_resident - before), Mib(after.resident - before),
              Mib(imgmill::ReadProcessMemory().resident) - Mib(before));
}
