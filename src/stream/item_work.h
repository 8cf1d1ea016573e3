// One image's whole way on a worker thread, as work that the out-of-memory ladder can start again.
#pragma once

#include "imgmill/stream/engine.h"

namespace imgmill {

class ItemWork final : public LadderWork {
 public:
  ItemWork(Operation& operation, Item& item, bool content_known, bool force, const EngineServices& services,
           Outcome& outcome)
      : operation_(operation),
        item_(item),
        content_known_(content_known),
        force_(force),
        services_(services),
        outcome_(outcome) {}

  /// Digest, recall, read, map, publish. A failed attempt leaves nothing behind but the digest.
  Status Run(const Attempt& attempt) override;
  bool has_cpu_rung() const override { return false; }  // it is on the host already

 private:
  Result<bool> KnownAlready();
  Status MapItem();

  Operation& operation_;
  Item& item_;
  bool content_known_;
  bool force_;
  const EngineServices& services_;
  Outcome& outcome_;
};

/// realpath, or the path itself where that fails: the catalog's key for a file.
std::string CanonicalPath(const std::string& path);

}  // namespace imgmill
