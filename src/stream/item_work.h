// One image's whole way on a worker thread, as work that the out-of-memory ladder can start again.
#pragma once

#include "imgmill/stream/engine.h"

namespace imgmill {

class ItemWork final : public LadderWork {
 public:
  ItemWork(Operation& operation, Item& item, bool content_known, std::vector<Operation*> guests,
           const EngineOptions& options, const EngineServices& services, const Footprint& lease, bool alone,
           Outcome& outcome)
      : operation_(operation),
        item_(item),
        content_known_(content_known),
        guests_(std::move(guests)),
        options_(options),
        services_(services),
        lease_(lease),
        alone_(alone),
        outcome_(outcome) {}

  /// Digest, recall, read, map, publish. An attempt that ran out of memory leaves the digest behind, and the
  /// task where that can go on.
  Status Run(const Attempt& attempt) override;
  void LetGo() override { unfinished_.reset(); }
  BatchLabel label() const override {
    return {operation_.name(), {1, item_.header.height, item_.header.width, 0}, lease_, alone_};
  }
  bool has_cpu_rung() const override { return false; }  // it is on the host already

  /// Whether the catalog knew the content after all, so that nothing was decoded.
  bool recalled() const { return recalled_; }

 private:
  Status MapItem();
  /// Tells the item and the catalog the size as a person sees it.
  Status RememberSize(const ContentDigest& content, const ImageHeader& header, int64_t& width,
                      int64_t& height);
  Status Unchanged(const std::string& path, const FileStamp& stamp, const ContentDigest& content) const;

  Operation& operation_;
  Item& item_;
  bool content_known_;
  std::vector<Operation*> guests_;  ///< who look on at the first attempt
  const EngineOptions& options_;
  const EngineServices& services_;
  const Footprint lease_;
  const bool alone_;
  bool recalled_ = false;
  std::unique_ptr<ItemTask> unfinished_;  ///< between attempts: what the next one goes on with
  int64_t mapped_rows_ = 0;               ///< that it has seen
  Outcome& outcome_;
};

/// Recalls what the catalog knows of the item's content, which includes its size: a picture that the limits
/// refuse now is not recalled, so that the probe refuses it as it would a new one.
Result<bool> RecallItem(Operation& operation, Catalog& catalog, const ImageLimits& limits, Item& item,
                        Outcome& outcome);
/// Takes the file's digest, notes it, and recalls what is known of that content: under another name, or
/// touched but not changed. With --force nothing is recalled.
Result<bool> IdentifyItem(Operation& operation, const EngineServices& services, const EngineOptions& options,
                          Item& item, Outcome& outcome);

}  // namespace imgmill
