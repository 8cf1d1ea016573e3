// The module's exported function.
#include "networks/edge.h"
#include "torch/runtime.h"

extern "C" __attribute__((visibility("default"))) imgmill::ModelRuntime* imgmill_create_model_runtime(
    int interface, imgmill::MemoryManager* manager, int threads, imgmill::KernelChoice kernels,
    std::string* why) {
  using namespace imgmill;
  if (interface != kModelInterface) {
    *why = "the module has interface " + std::to_string(kModelInterface) + ", the program wants " +
           std::to_string(interface) + ": they are from different builds";
    return nullptr;
  }
  Result<std::unique_ptr<ModelRuntime>> made =
      AtEdge(Stage::kConfigure, [&]() -> Result<std::unique_ptr<ModelRuntime>> {
        return MakeTorchRuntime(*manager, threads, kernels);
      });
  if (made) return made->release();
  *why = made.error().message;
  return nullptr;
}

static_assert(std::is_same_v<decltype(&imgmill_create_model_runtime), imgmill::CreateModelRuntimeFn>);
