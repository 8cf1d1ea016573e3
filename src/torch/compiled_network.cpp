// Running an AOTInductor package on the CPU, image by image.
#include "torch/compiled_network.h"

#include <torch/csrc/inductor/aoti_package/model_package_loader.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "base/try.h"
#include "networks/weights/weight_file.h"
#include "networks/weights/zip_archive.h"
#include "torch/libtorch_settings.h"
#include "torch/vector_network.h"

namespace imgmill {
namespace {

class CompiledNetwork final : public VectorNetwork {
 public:
  using VectorNetwork::VectorNetwork;

  Status Read(const std::string& path) {
    // Compiled code compares an image's size with the one it was compiled for only if it is told to; else it
    // would read the wrong pixels.
    ::setenv("AOTI_RUNTIME_CHECK_INPUTS", "1", /*overwrite=*/1);
    TRY(Explained("not a package of AOTInductor that " + LibTorchVersion() +
                      " can run (compile it for the CPU, with the same version of PyTorch)",
                  [&] { package_.emplace(path); }));
    const auto facts = package_->get_metadata();
    const auto device = facts.find("AOTI_DEVICE_KEY");
    if (device == facts.end() || device->second == "cpu") return {};
    return Error{Stage::kConfigure, Code::kModelError,
                 "this package of AOTInductor was compiled for " + device->second +
                     ": compile it for the CPU, or use the PyTorch weights"};
  }

  Result<torch::Tensor> Rows(const torch::Tensor& input, c10::Device) override {
    return OneByOne(input, [&](const torch::Tensor& image) -> Result<torch::Tensor> {
      const std::vector<torch::Tensor> given = package_->run({image.to(torch::kCPU).contiguous()});
      if (given.size() != 1 || given[0].numel() == 0)
        return Error{Stage::kCompute, Code::kModelError,
                     "the network returns " + std::to_string(given.size()) +
                         " tensors for an image, not one: it is not an embedding network"};
      TRY(GivesVectors(given[0].sizes(), image.size(2), image.size(3)));
      return given[0].reshape({1, -1}).to(torch::kCPU, torch::kFloat32).contiguous();
    });
  }

 private:
  std::optional<torch::inductor::AOTIModelPackageLoader> package_;
};

}  // namespace

Result<std::unique_ptr<Network>> LoadCompiled(const std::string& path, int side) {
  WeightFile file = TRY(WeightFile::Open(path));
  ModelInfo info;
  info.architecture = "AOTInductor";
  std::string digest = TRY(file.Digest());
  info.digest = std::move(digest);
  info.weight_bytes = static_cast<size_t>(file.size());
  auto network = std::make_unique<CompiledNetwork>(std::move(info));
  TRY(network->Read(path));
  TRY(network->TryOnOne(side));
  return std::unique_ptr<Network>(std::move(network));
}

}  // namespace imgmill
