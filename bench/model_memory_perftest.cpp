// Resident memory around a model's life: before, with LibTorch opened, with the model loaded, at work, and
// unloaded again, several times over.
//
// Usage: model_memory_perftest MODEL [ROUNDS]; a TorchScript file (.pt with code) is run as an embedder of
// 224x224, any other as an upscaler on pictures of 256x256. IMGMILL_TORCH_MODULE may name the module.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "imgmill/infer/library_pages.h"
#include "imgmill/infer/model_runtime.h"
#include "memory/close_watch.h"

using namespace imgmill;

namespace {

constexpr int kForwards = 20;

struct Level {
  double all;
  double files;
};

/// MiB of the process, and of it pages of mapped files, which the kernel may drop at any time.
Level Now() {
  const ProcessMemory process = ReadProcessMemory();
  return {static_cast<double>(process.resident) / 1048576,
          static_cast<double>(process.file_backed) / 1048576};
}

void Row(const char* when, const Level& level) {
  std::printf("| %s | %.1f | %.1f | %.1f |\n", when, level.all, level.files, level.all - level.files);
}

[[noreturn]] void Fail(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  std::exit(1);
}

template <typename Model>
void Work(Model& model, MemoryManager& manager, int side) {
  const int batch = model.Plan(manager.device(0).name()).micro_batch;
  const auto pixels = static_cast<size_t>(batch) * 3 * static_cast<size_t>(side) * static_cast<size_t>(side);
  Buffer input(pixels * sizeof(float));
  Buffer output(static_cast<size_t>(batch) * model.OutputFloats(side, side) * sizeof(float));
  std::fill_n(reinterpret_cast<float*>(input.data()), pixels, 0.5F);
  for (int i = 0; i < kForwards; ++i) {
    const Status ran =
        model.Forward(reinterpret_cast<float*>(input.data()), reinterpret_cast<float*>(output.data()), batch,
                      side, side, WorkPlace::Device(0));
    if (!ran) Fail(ran.error());
  }
}

template <typename Load>
void Rounds(MemoryManager& manager, int rounds, int side, const Load& load) {
  const Level opened = Now();
  Level after{};
  for (int round = 1; round <= rounds; ++round) {
    {
      auto model = load();
      if (!model) Fail(model.error());
      Row("loaded", Now());
      CloseWatch watch;
      Work(**model, manager, side);
      Row("at work, peak", {static_cast<double>(watch.before() + watch.Growth()) / 1048576, Now().files});
    }
    manager.ClearAll();
    ReleaseLibraryPages();
    after = Now();
    Row("unloaded", after);
  }
  std::printf("\nunloaded less opened: %+.1f MiB, %+.1f %%; without pages of mapped files %+.1f MiB\n",
              after.all - opened.all, 100 * (after.all / opened.all - 1),
              (after.all - after.files) - (opened.all - opened.files));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const std::string path = argv[1];
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 3;
  std::printf("| | resident MiB | of it mapped files | anonymous |\n|---|---|---|---|\n");
  auto manager = MemoryManager::Create({});
  if (!manager) Fail(manager.error());
  Row("before", Now());
  auto runtime = OpenModelRuntime(**manager, 2);
  if (!runtime) Fail(runtime.error());
  if (auto added = (*runtime)->AddDevices("cpu", 0); !added) Fail(added.error());
  (*manager)->ClearAll();
  Row("LibTorch opened", Now());
  if (path.find("torchscript") != std::string::npos) {
    Rounds(**manager, rounds, 224, [&] { return (*runtime)->LoadEmbedder(path, {}); });
  } else {
    Rounds(**manager, rounds, 256, [&] { return (*runtime)->LoadUpscaler(path); });
  }
}
