// Digest, recall, read, map, publish: the steps between an image's lease and its outcome.
#include "item_work.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "guest_tasks.h"
#include "imgmill/base/path_text.h"
#include "region_loop.h"

namespace imgmill {
namespace {

// Its number goes up whenever reading hands out other pixels of some file: nothing is recalled of a content
// without this fact, so that all is computed once more.
constexpr char kSizeFact[] = "upright-size/2";

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

/// Fills the size that the catalog knows of a content. False if it knows none, or one that the limits refuse.
bool KnownSize(Catalog& catalog, const ImageLimits& limits, const ContentDigest& content, int64_t& width,
               int64_t& height) {
  const std::optional<UprightSize> size = UprightSize::Unpack(catalog.FindFact(content, kSizeFact));
  if (!size || size->width > limits.max_pixels / std::max<int64_t>(1, size->height)) return false;
  width = size->width;
  height = size->height;
  return true;
}

/// Where mapping ends early, by an error or an exception, keeps the task for the next attempt if it can go
/// on.
class KeepIfSuspended {
 public:
  KeepIfSuspended(std::unique_ptr<ItemTask>& task, std::unique_ptr<ItemTask>& place)
      : task_(task), place_(place) {}
  ~KeepIfSuspended() {
    if (!all_mapped && task_->Suspend()) place_ = std::move(task_);
  }
  KeepIfSuspended(const KeepIfSuspended&) = delete;
  KeepIfSuspended& operator=(const KeepIfSuspended&) = delete;

  bool all_mapped = false;

 private:
  std::unique_ptr<ItemTask>& task_;
  std::unique_ptr<ItemTask>& place_;
};

/// Digests a file and tells the catalog.
Status DigestFile(const EngineServices& services, const std::string& path, const std::string& absolute,
                  const FileStamp& stamp, ContentDigest& content) {
  Result<ContentDigest> digest = DigestOf(path);
  if (!digest) return digest.error();
  content = *digest;
  return services.Notes().PutFile(absolute, {stamp, content});
}

}  // namespace

Result<bool> RecallItem(Operation& operation, Catalog& catalog, const ImageLimits& limits, Item& item,
                        Outcome& outcome) {
  if (!KnownSize(catalog, limits, item.content, item.upright_width, item.upright_height)) return false;
  if (item.partner && !KnownSize(catalog, limits, item.partner->content, item.partner->upright_width,
                                 item.partner->upright_height)) {
    return false;
  }
  return operation.Recall(item, outcome);
}

ContentDigest Item::WorkContent() const {
  if (!partner) return content;
  const std::array<ContentDigest, 2> both = {content, partner->content};
  return DigestOfBytes(both.data(), sizeof both);
}

Error OfPartner(const std::string& path, Error error) {
  error.message = "its partner " + PrintablePath(path) + ": " + error.message;
  return error;
}

Result<bool> IdentifyItem(Operation& operation, const EngineServices& services, const EngineOptions& options,
                          Item& item, Outcome& outcome) {
  if (Status read = DigestFile(services, item.file.path, item.absolute, item.stamp, item.content); !read)
    return read.error();
  if (item.partner) {
    Partner& partner = *item.partner;
    if (Status read = DigestFile(services, partner.path, partner.absolute, partner.stamp, partner.content);
        !read)
      return OfPartner(partner.path, read.error());
  }
  if (options.force) return false;
  return RecallItem(operation, *services.catalog, options.limits, item, outcome);
}

Status ItemWork::Run(const Attempt& attempt) {
  if (attempt.rung != Rung::kNone) guests_.clear();  // memory is short: for the host's work alone
  if (!content_known_) {
    Result<bool> recalled = IdentifyItem(operation_, services_, options_, item_, outcome_);
    content_known_ = recalled.ok();
    if (!recalled) return recalled.error();
    recalled_ = *recalled;
    if (recalled_) return {};
  }
  return MapItem();
}

Status ItemWork::RememberSize(const ContentDigest& content, const ImageHeader& header, int64_t& width,
                              int64_t& height) {
  width = header.upright_width();
  height = header.upright_height();
  return services_.Notes().PutFact(content, kSizeFact, UprightSize{width, height}.Pack());
}

Status ItemWork::MapItem() {
  outcome_.notes.clear();
  outcome_.outputs.clear();
  outcome_.payload.reset();
  if (Status put = RememberSize(item_.content, item_.header, item_.upright_width, item_.upright_height); !put)
    return put;
  if (item_.partner) {
    Partner& partner = *item_.partner;
    if (Status put =
            RememberSize(partner.content, partner.header, partner.upright_width, partner.upright_height);
        !put) {
      return put;
    }
  }

  const Layout input = operation_.InputLayout(item_.header);
  std::unique_ptr<ItemTask> task = std::move(unfinished_);
  if (task == nullptr) {
    Result<std::unique_ptr<ItemTask>> started = operation_.Start(item_, input);
    if (!started) return started.error();
    task = *std::move(started);
    mapped_rows_ = 0;
  }
  TaskWithGuests shared(*task, guests_, item_, input);
  if (operation_.NeedsPixels()) {
    KeepIfSuspended keep(task, unfinished_);
    Result<std::unique_ptr<RowReader>> reader = operation_.Open(item_);
    if (!reader) return reader.error();
    if (Status mapped =
            MapRegions(**reader, operation_.Regions(input), shared, *services_.progress, mapped_rows_);
        !mapped) {
      return mapped;
    }
    keep.all_mapped = true;
    outcome_.notes = (*reader)->notes();
  }
  // Published results must belong to the digest that they are filed under.
  if (Status same = Unchanged(item_.file.path, item_.stamp, item_.content); !same) return same;
  if (item_.partner) {
    if (Status same = Unchanged(item_.partner->path, item_.partner->stamp, item_.partner->content); !same)
      return OfPartner(item_.partner->path, same.error());
  }
  if (Status finished = shared.Finish(outcome_); !finished) return finished;
  outcome_.state = Outcome::State::kDone;
  return {};
}

Status ItemWork::Unchanged(const std::string& path, const FileStamp& stamp,
                           const ContentDigest& content) const {
  // By content where it must be: a backup that links the file meanwhile changes its stamp, too.
  const Result<bool> same = IsAsSeen(path, stamp, content);
  if (!same) return same.error();
  if (*same) return {};
  return Error{Stage::kDecode, Code::kReadError, "the file changed while it was read (run again)"};
}

}  // namespace imgmill
