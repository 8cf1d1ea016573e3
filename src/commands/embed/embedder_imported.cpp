// Vectors made elsewhere, as an embedder that knows their name and makes none.
#include <nlohmann/json.hpp>

#include "embedder.h"

namespace imgmill {
namespace {

class ImportedEmbedder final : public Embedder {
 public:
  explicit ImportedEmbedder(const std::string& name) : name_(name), kind_(ImportedKind(name)) {}

  const std::string& kind() const override { return kind_; }
  int dimension() const override { return 0; }
  int shrink_to_side() const override { return kSide; }
  size_t PooledBytes(const Layout&) const override { return 0; }
  std::unique_ptr<ImageEmbedding> Start(const Layout&) override { return nullptr; }
  Status MayCompute() const override {
    return Error{Stage::kCompute, Code::kNotFound,
                 "no vector was imported for it under the name \"" + name_ +
                     "\" (imgmill embed --import takes one from a file)"};
  }
  void Describe(JsonObject& details) const override { details["model_name"] = name_; }

 private:
  /// Images are only looked at for their notes.
  static constexpr int kSide = 128;

  const std::string name_, kind_;
};

}  // namespace

std::unique_ptr<Embedder> MakeImportedEmbedder(const std::string& name) {
  return std::make_unique<ImportedEmbedder>(name);
}

}  // namespace imgmill
