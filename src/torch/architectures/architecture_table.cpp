// The table of architectures, one line each, and loading by it.
#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "torch/architectures/architecture.h"
#include "torch/libtorch_settings.h"
#include "torch/weights/weight_file.h"

namespace imgmill {

extern const Architecture& kRrdbNet;
extern const Architecture& kSpan;
extern const Architecture& kSrvggCompact;

std::span<const Architecture* const> Architectures() {
  static const Architecture* const table[] = {
      &kRrdbNet,
      &kSpan,
      &kSrvggCompact,
  };
  return table;
}

Result<const Architecture*> DetectArchitecture(const StateDict& weights) {
  std::string known;
  for (const Architecture* architecture : Architectures()) {
    if (architecture->Matches(weights)) return architecture;
    known += (known.empty() ? "" : ", ") + std::string(architecture->name()) + " (" +
             std::string(architecture->known_by()) + ")";
  }
  std::string names;
  int shown = 0;
  for (const auto& [name, tensor] : weights.tensors) {
    if (shown++ == 3) break;
    names += (names.empty() ? "" : ", ") + PrintablePath(name);
  }
  return Error{Stage::kConfigure, Code::kModelError,
               "its " + std::to_string(weights.tensors.size()) + " tensors (" + names +
                   ", ...) match no architecture that imgmill knows; it knows " + known};
}

Result<std::unique_ptr<Network>> LoadStateDict(const std::string& path, int threads) {
  StateDict weights = TRY(ReadStateDict(path));
  const Architecture* architecture = TRY(DetectArchitecture(weights));
  TRY(CheckFinite(weights));
  WeightFile file = TRY(WeightFile::Open(path));
  std::string digest = TRY(file.Digest());
  ModelInfo info;
  info.architecture = architecture->name();
  info.digest = std::move(digest);
  info.library = LibTorchVersion();
  info.threads = threads;
  return architecture->Load(std::make_shared<const StateDict>(std::move(weights)), std::move(info));
}

}  // namespace imgmill
