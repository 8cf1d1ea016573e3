// Loading TorchScript and running it on any device.
#include "torch/script_network.h"

#include <torch/csrc/jit/python/update_graph_executor_opt.h>
#include <torch/script.h>

#include <map>
#include <mutex>

#include "base/counted.h"
#include "base/try.h"
#include "networks/weights/weight_file.h"
#include "torch/vector_network.h"

namespace imgmill {
namespace {

/// The vectors of n images as n rows on the CPU; a script may give anything.
Result<torch::Tensor> AsRows(const torch::jit::IValue& given, const torch::Tensor& input) {
  const int64_t n = input.size(0);
  if (!given.isTensor()) {
    return Error{
        Stage::kCompute, Code::kModelError,
        "the network returns " + given.tagKind() + ", not a single tensor: it is not an embedding network"};
  }
  const torch::Tensor tensor = given.toTensor();
  if (tensor.dim() < 1 || tensor.size(0) != n || tensor.numel() == 0) {
    std::string shape;
    for (const int64_t side : tensor.sizes()) shape += (shape.empty() ? "" : "x") + std::to_string(side);
    return Error{Stage::kCompute, Code::kModelError,
                 "the network returns a tensor of " + (shape.empty() ? "no dimension" : shape) + " for " +
                     Counted(n, "image", "images (use --batch 1)")};
  }
  TRY(GivesVectors(tensor.sizes(), input.size(2), input.size(3)));
  return tensor.reshape({n, -1}).to(torch::kCPU, torch::kFloat32).contiguous();
}

class ScriptNetwork final : public VectorNetwork {
 public:
  using VectorNetwork::VectorNetwork;

  Status Read(const std::string& path) {
    return Explained(
        "not a TorchScript file that LibTorch can run (what torch.jit.save writes is needed; a file for the "
        "mobile interpreter does not work)",
        [&] {
          script_ = torch::jit::load(path, torch::kCPU);
          script_.eval();
          for (const torch::Tensor& weights : script_.parameters()) info_.weight_bytes += weights.nbytes();
          for (const torch::Tensor& weights : script_.buffers()) info_.weight_bytes += weights.nbytes();
        });
  }

  Result<torch::Tensor> Rows(const torch::Tensor& input, c10::Device device) override {
    // The optimising executor rewrites a network after it has watched it: the third image would be
    // computed otherwise than the first.
    torch::jit::setGraphExecutorOptimize(false);
    return AsRows(On(device).forward({input}), input);
  }

 private:
  torch::jit::Module& On(c10::Device device) {
    if (device.is_cpu()) return script_;
    const std::lock_guard lock(mutex_);
    auto found = copies_.find(device.str());
    if (found == copies_.end()) {
      const PoolScope host(HostPool());
      torch::jit::Module copy = script_.clone();
      copy.to(device);
      found = copies_.emplace(device.str(), std::move(copy)).first;
    }
    return found->second;
  }

  torch::jit::Module script_;  ///< on the CPU
  std::mutex mutex_;
  std::map<std::string, torch::jit::Module> copies_;  ///< on other devices
};

}  // namespace

Result<std::unique_ptr<Network>> LoadScript(const std::string& path, int side) {
  WeightFile file = TRY(WeightFile::Open(path));
  ModelInfo info;
  info.architecture = "TorchScript";
  std::string digest = TRY(file.Digest());
  info.digest = std::move(digest);
  auto network = std::make_unique<ScriptNetwork>(std::move(info));
  TRY(network->Read(path));
  TRY(network->TryOnOne(side));
  return std::unique_ptr<Network>(std::move(network));
}

}  // namespace imgmill
