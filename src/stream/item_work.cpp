// Digest, recall, read, map, publish: the steps between an image's lease and its outcome.
#include "item_work.h"

#include <cstdlib>

#include "region_loop.h"

namespace imgmill {

std::string CanonicalPath(const std::string& path) {
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string result = resolved;
  std::free(resolved);
  return result;
}

Status ItemWork::Run(const Attempt&) {
  if (!content_known_) {
    Result<ContentDigest> digest = DigestOf(item_.file.path);
    if (!digest) return digest.error();
    item_.content = *digest;
    if (Status put = services_.catalog->PutFile(item_.absolute, {item_.stamp, item_.content}); !put)
      return put;
    content_known_ = true;
    Result<bool> known = KnownAlready();  // the same content under another name, or touched but not changed
    if (!known) return known.error();
    if (*known) return {};
  }
  return MapItem();
}

Result<bool> ItemWork::KnownAlready() {
  if (force_) return false;
  return operation_.Recall(item_, outcome_);
}

Status ItemWork::MapItem() {
  outcome_.notes.clear();
  outcome_.outputs.clear();
  outcome_.payload.reset();

  const Layout input = operation_.InputLayout(item_.header);
  Result<std::unique_ptr<ItemTask>> task = operation_.Start(item_, input);
  if (!task) return task.error();
  if (operation_.NeedsPixels()) {
    Result<std::unique_ptr<RowReader>> reader = operation_.Open(item_);
    if (!reader) return reader.error();
    if (Status mapped = MapRegions(**reader, operation_.Regions(input), **task, *services_.progress);
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
  if (Status finished = (*task)->Finish(outcome_); !finished) return finished;
  outcome_.state = Outcome::State::kDone;
  return {};
}

}  // namespace imgmill
