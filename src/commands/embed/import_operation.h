// What `embed --import` does with an image: looks for its vector among those of a file. No image is decoded.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "embed_operation.h"
#include "imported_vectors.h"

namespace imgmill {

class ImportOperation final : public Operation {
 public:
  /// @param on_image  called in the order of the listing, from one thread at a time
  ImportOperation(const ImportedVectors& imported, const std::string& kind, VectorStore& store,
                  bool allow_truncated, std::function<void(EmbeddedImage&)> on_image);

  Result<ItemPlan> Plan(const Item& item) const override;
  Result<bool> Recall(const Item& item, Outcome& outcome) override;
  Status Prepare() override;
  Result<std::unique_ptr<ItemTask>> Start(const Item& item, const ItemPlan& plan) override;
  /// Of images with the same bytes the first one's vector counts.
  void Collect(Outcome& outcome) override;

  /// The first failure to write to the catalog; kUsage where equal images have different vectors.
  const Status& status() const { return status_; }

 private:
  class Task;
  Status Keep(EmbeddedImage& image, const VectorFile::Place& imported, bool recalled);
  Status CheckNear(const EmbeddedImage& image, const VectorFile::Place& imported) const;

  const ImportedVectors& imported_;
  const std::string kind_;
  VectorStore& store_;
  std::mutex mutex_;  // of the store's file
  const std::string& fact_ = traits().fingerprint;
  std::function<void(EmbeddedImage&)> on_image_;
  std::vector<bool> given_;  ///< of the catalog's rows: an image of this run has it
  Status status_;
};

}  // namespace imgmill
