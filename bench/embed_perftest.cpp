// Images a second of an embedding network alone, from memory, on as many threads and in as large batches as
// the program would use.
//
// Usage: embed_perftest MODEL [THREADS] [IMAGES [BATCH]]; images of the size that the weights say.
// IMGMILL_TORCH_MODULE may name the module.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "imgmill/infer/model_runtime.h"

using namespace imgmill;

namespace {

[[noreturn]] void Fail(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: embed_perftest MODEL [THREADS] [IMAGES [BATCH]]\n");
    return 2;
  }
  const int threads = argc > 2 ? std::atoi(argv[2]) : 2;
  const int images = argc > 3 ? std::atoi(argv[3]) : 128;
  Result<std::unique_ptr<MemoryManager>> manager = MemoryManager::Create({});
  if (!manager) Fail(manager.error());
  Result<std::unique_ptr<ModelRuntime>> runtime = OpenModelRuntime(**manager, threads);
  if (!runtime) Fail(runtime.error());
  if (Result<int> added = (*runtime)->AddDevices("cpu", 0); !added) Fail(added.error());
  Result<std::unique_ptr<EmbeddingModel>> model = (*runtime)->LoadEmbedder(argv[1], {});
  if (!model) Fail(model.error());
  const int side = (*model)->info().input.value_or(ModelInput{}).side;
  const int batch = argc > 4 ? std::atoi(argv[4]) : (*model)->Plan("cpu").micro_batch;
  std::atomic<int> next = 0;
  const auto work = [&](int count) {
    std::vector<float> input(static_cast<size_t>(3 * side * side), 0.5F);
    for (size_t i = 0; i < input.size(); ++i) input[i] = static_cast<float>(i % 251) / 251;
    std::vector<std::vector<float>> outputs(static_cast<size_t>(batch));
    std::vector<BatchImage> shown;
    for (std::vector<float>& output : outputs) {
      output.resize((*model)->OutputFloats(side, side));
      shown.push_back({input.data(), output.data()});
    }
    Result<std::unique_ptr<ModelStream>> stream = (*model)->OpenStream(WorkPlace::Device(0));
    if (!stream) Fail(stream.error());
    while ((next += batch) <= count) {
      if (const Status ran = (*stream)->Run(shown, batch, side, side); !ran) Fail(ran.error());
    }
  };
  const auto run = [&](int count) {
    next = 0;
    std::vector<std::jthread> team;
    for (int i = 0; i < threads; ++i) team.emplace_back(work, count);
  };
  run(2 * threads * batch);  // weights are packed, pools filled
  const auto start = std::chrono::steady_clock::now();
  run(images);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("%.2f\n", images / batch * batch / took.count());
}
