// One image's whole way on a worker thread, as work that the out-of-memory ladder can start again.
#pragma once

#include "identify.h"
#include "job.h"

namespace imgmill {

class ItemWork final : public LadderWork {
 public:
  ItemWork(Job& job, const Identifier& identifier, const EngineServices& services);

  /// Digest; then recall, read, map, publish for each part. An attempt that ran out of memory leaves behind
  /// the digest, the outcomes that there are, and the task where that can go on. A run that is to stop does
  /// so between two regions (kInterrupted); what is all mapped is published.
  Status Run(const Attempt& attempt) override;
  void LetGo() override { unfinished_.reset(); }
  BatchLabel label() const override {
    const ImageHeader& header = job_.item.main.header;
    return {label_, {1, header.height, header.width}, job_.lease.footprint(), job_.cost.alone};
  }
  bool has_cpu_rung() const override { return false; }  // it is on the host already

  /// Whether all was done that the lease is for: nothing recalled after all, nothing left out.
  bool complete() const { return complete_; }

 private:
  class SharedRows;

  Status RunPart(Part& part);
  /// kInterrupted once the run is to stop: the image is left as if it had not been begun.
  Status MayGoOn() const;
  Status MapRows(Part& part);
  std::vector<Part*> StartSharing(const Part& part);
  Result<std::unique_ptr<ItemTask>> Start(const Part& part) const;

  Job& job_;
  const Identifier& identifier_;
  const EngineServices& services_;
  std::string label_;
  bool sharing_;
  bool may_be_helped_;
  bool complete_ = true;
  std::unique_ptr<ItemTask> unfinished_;  ///< between attempts: what the next one continues with
  int64_t mapped_rows_ = 0;               ///< that it has seen
  std::unique_ptr<ItemTask> watching_;    ///< the observer's
};

}  // namespace imgmill
