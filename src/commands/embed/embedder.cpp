// The built-in descriptor as an embedder, and the choice between it and a model.
#include "embedder.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "imgmill/signals/image_descriptor.h"

namespace imgmill {
namespace {

class BuiltinEmbedding final : public ImageEmbedding {
 public:
  explicit BuiltinEmbedding(const Layout& input) : descriptor_(input) {}
  void Add(const ImageView& rows) override { descriptor_.Add(rows); }
  Status Finish(std::span<const int> poses, std::span<float> vectors, Rung&) override {
    if (poses.front() == 0) {
      descriptor_.FinishPoses(poses.subspan(1), vectors);
      return {};
    }
    std::vector<float> with_own(ImageDescriptor::kLength + vectors.size());
    descriptor_.FinishPoses(poses, with_own);
    std::copy(with_own.begin() + ImageDescriptor::kLength, with_own.end(), vectors.begin());
    return {};
  }

 private:
  ImageDescriptor descriptor_;
};

class BuiltinEmbedder final : public Embedder {
 public:
  const std::string& kind() const override { return kind_; }
  int dimension() const override { return ImageDescriptor::kLength; }
  int shrink_to_side() const override { return ImageDescriptor::kShrinkToSide; }
  size_t PooledBytes(const Layout& input) const override { return ImageDescriptor::PooledBytes(input); }
  std::unique_ptr<ImageEmbedding> Start(const Layout& input) override {
    return std::make_unique<BuiltinEmbedding>(input);
  }
  void Describe(JsonObject& details) const override { details["descriptor"] = kind_; }

 private:
  const std::string kind_{ImageDescriptor::kName};
};

}  // namespace

std::string Embedder::PosedKind() const {
  std::string kind_of_poses = kind() + " poses/1 ";
  for (const int pose : poses_) kind_of_poses += std::to_string(pose);
  return kind_of_poses;
}

std::unique_ptr<Embedder> MakeBuiltinEmbedder() {
  return std::make_unique<BuiltinEmbedder>();
}

Result<std::unique_ptr<Embedder>> MakeEmbedder(const EmbeddingOptions& options,
                                               const CommandServices& services) {
  if (!options.model_name.empty()) return MakeImportedEmbedder(options.model_name);
  if (options.model.empty()) return MakeBuiltinEmbedder();
  return MakeModelEmbedder(options, services);
}

int ModelWorkers(const CommandServices& services) {
  // While one image waits for the model, another is decoded (bench/batch.sh).
  return services.shared->jobs > 0 ? services.workers() : 2 * services.workers();
}

int EmbeddingWorkers(const EmbeddingOptions& options, const CommandServices& services) {
  return options.model.empty() ? services.workers() : ModelWorkers(services);
}

}  // namespace imgmill
