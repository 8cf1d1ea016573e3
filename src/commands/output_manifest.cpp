// Lines are gathered into blocks, and the file gets its name when the run is over.
#include "output_manifest.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/counted.h"
#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

constexpr size_t kBlockBytes = size_t{64} << 10;

/// A new file beside `path`, of a temporary name.
Result<std::pair<std::string, int>> CreateBeside(const std::string& path) {
  std::string temporary = TemporaryNameFor(path);
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) return ErrnoError(Stage::kWrite, errno, "create " + PrintablePath(temporary));
  return std::pair(std::move(temporary), descriptor);
}

}  // namespace

OutputManifest::OutputManifest(std::string path, std::string temporary, int descriptor)
    : path_(std::move(path)), temporary_(std::move(temporary)), descriptor_(descriptor) {}

Status OutputManifest::MayOpen(const ManifestKind& kind, const std::string& path, bool overwrite) {
  return overwrite ? Status{} : EarlierOutputs(kind, path).Check();
}

Result<std::unique_ptr<OutputManifest>> OutputManifest::Open(const ManifestKind& kind,
                                                             const std::string& path, bool overwrite) {
  const Status readable = EarlierOutputs(kind, path).Check();
  if (!readable && !overwrite) return readable.error();
  TRY(MakeFolders(path.substr(0, path.rfind('/'))));
  std::pair<std::string, int> file = TRY(CreateBeside(path));
  std::unique_ptr<OutputManifest> manifest(new OutputManifest(path, std::move(file.first), file.second));
  if (readable) manifest->earlier_.emplace(kind, path);
  return manifest;
}

OutputManifest::~OutputManifest() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void OutputManifest::Replace(std::string_view source, std::string_view prefix) {
  if (earlier_) earlier_->Replace(source, prefix);
}

void OutputManifest::Failed(std::string_view source) {
  if (earlier_) earlier_->Failed(source);
}

void OutputManifest::Add(const nlohmann::ordered_json& line) {
  Put(line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void OutputManifest::Put(std::string_view line) {
  pending_.append(line).append("\n");
  if (pending_.size() >= kBlockBytes) Drain();
}

void OutputManifest::Drain() {
  size_t written = 0;
  while (status_ && written < pending_.size()) {
    const ssize_t put = ::write(descriptor_, pending_.data() + written, pending_.size() - written);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      status_ = ErrnoError(Stage::kWrite, errno, "write " + PrintablePath(path_));
    } else {
      written += static_cast<size_t>(put);
    }
  }
  pending_.clear();
}

/// What was written goes behind the lines of other sources, which are known only now.
Result<KeptOutputs> OutputManifest::PutEarlierFirst() {
  std::pair<std::string, int> file = TRY(CreateBeside(path_));
  const std::string own = std::exchange(temporary_, std::move(file.first));
  ::close(std::exchange(descriptor_, file.second));
  Result<KeptOutputs> kept = earlier_->Copy([this](std::string_view line) {
    Put(line);
    return status_;
  });
  if (kept) {
    if (Status appended = AppendFile(own); !appended) kept = appended.error();
  }
  ::unlink(own.c_str());
  return kept;
}

Status OutputManifest::AppendFile(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) return ErrnoError(Stage::kWrite, errno, "read " + PrintablePath(path));
  std::array<char, 8192> block;
  while (const size_t got = std::fread(block.data(), 1, block.size(), file.get())) {
    pending_.append(block.data(), got);
    if (pending_.size() >= kBlockBytes) Drain();
  }
  if (std::ferror(file.get()) != 0) return ErrnoError(Stage::kWrite, errno, "read " + PrintablePath(path));
  return {};
}

Result<KeptOutputs> OutputManifest::Finish() {
  Drain();
  KeptOutputs kept;
  if (status_ && earlier_) {
    KeptOutputs put = TRY(PutEarlierFirst());
    kept = put;
    Drain();
  }
  const int descriptor = std::exchange(descriptor_, -1);
  if (::close(descriptor) != 0 && status_)
    status_ = ErrnoError(Stage::kWrite, errno, "write " + PrintablePath(path_));
  if (!status_) return status_.error();
  const std::string temporary = std::exchange(temporary_, std::string());
  const Status published = Publish(temporary, path_, true);
  return published ? Result<KeptOutputs>(kept) : published.error();
}

void TellKept(const KeptOutputs& kept, const std::string& one, const std::string& field,
              CommandResult& result) {
  if (kept.failed_outputs > 0) {
    result.details[field + "_of_failed"] = kept.failed_outputs;
    result.summary += ", " + Counted(kept.failed_outputs, one) + " of " +
                      Counted(kept.failed_sources, "failed source") + " still there and kept in the list";
  }
  if (kept.outputs == 0) return;
  result.details[field + "_of_other_sources"] = kept.outputs;
  result.details["other_sources"] = kept.sources;
  result.summary += ", " + Counted(kept.outputs, one) + " of " + Counted(kept.sources, "other source") +
                    " kept in the list";
}

}  // namespace imgmill
