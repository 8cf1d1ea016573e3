// Digest, recall, read, map, publish: the steps between an image's lease and its outcome.
#include "item_work.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "guest_tasks.h"
#include "region_loop.h"

namespace imgmill {
namespace {

constexpr char kSizeFact[] = "upright-size/1";

/// What the engine itself remembers of every content.
struct UprightSize {
  int64_t width = 0;
  int64_t height = 0;

  std::string Pack() const { return {reinterpret_cast<const char*>(this), sizeof *this}; }
  static std::optional<UprightSize> Unpack(const std::optional<std::string>& bytes) {
    UprightSize size;
    if (!bytes || bytes->size() != sizeof size) return std::nullopt;
    std::memcpy(&size, bytes->data(), sizeof size);
    return size;
  }
};

}  // namespace

std::string CanonicalPath(const std::string& path) {
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string result = resolved;
  std::free(resolved);
  return result;
}

Result<bool> RecallItem(Operation& operation, Catalog& catalog, const ImageLimits& limits, Item& item,
                        Outcome& outcome) {
  const std::optional<UprightSize> size = UprightSize::Unpack(catalog.FindFact(item.content, kSizeFact));
  if (!size || size->width > limits.max_pixels / std::max<int64_t>(1, size->height)) return false;
  item.upright_width = size->width;
  item.upright_height = size->height;
  return operation.Recall(item, outcome);
}

Result<bool> IdentifyItem(Operation& operation, const EngineServices& services, const EngineOptions& options,
                          Item& item, Outcome& outcome) {
  Result<ContentDigest> digest = DigestOf(item.file.path);
  if (!digest) return digest.error();
  item.content = *digest;
  if (Status put = services.Notes().PutFile(item.absolute, {item.stamp, item.content}); !put)
    return put.error();
  if (options.force) return false;
  return RecallItem(operation, *services.catalog, options.limits, item, outcome);
}

Status ItemWork::Run(const Attempt& attempt) {
  if (attempt.rung != Rung::kNone) guests_.clear();  // memory is short: for the host's work alone
  if (!content_known_) {
    Result<bool> recalled = IdentifyItem(operation_, services_, options_, item_, outcome_);
    content_known_ = recalled.ok();
    if (!recalled) return recalled.error();
    if (*recalled) return {};
  }
  return MapItem();
}

Status ItemWork::MapItem() {
  outcome_.notes.clear();
  outcome_.outputs.clear();
  outcome_.payload.reset();
  item_.upright_width = item_.header.upright_width();
  item_.upright_height = item_.header.upright_height();
  if (Status put = services_.Notes().PutFact(item_.content, kSizeFact,
                                             UprightSize{item_.upright_width, item_.upright_height}.Pack());
      !put) {
    return put;
  }

  const Layout input = operation_.InputLayout(item_.header);
  Result<std::unique_ptr<ItemTask>> task = operation_.Start(item_, input);
  if (!task) return task.error();
  TaskWithGuests shared(**task, guests_, item_, input);
  if (operation_.NeedsPixels()) {
    Result<std::unique_ptr<RowReader>> reader = operation_.Open(item_);
    if (!reader) return reader.error();
    if (Status mapped = MapRegions(**reader, operation_.Regions(input), shared, *services_.progress);
        !mapped) {
      return mapped;
    }
    outcome_.notes = (*reader)->notes();
  }
  // Published results must belong to the digest that they are filed under.
  Result<FileStamp> now = StampOf(item_.file.path);
  if (!now) return now.error();
  if (*now != item_.stamp) {
    return Error{Stage::kDecode, Code::kReadError, "the file changed while it was read (run again)"};
  }
  if (Status finished = shared.Finish(outcome_); !finished) return finished;
  outcome_.state = Outcome::State::kDone;
  return {};
}

}  // namespace imgmill
