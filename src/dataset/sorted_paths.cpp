// Sorts any number of paths in bounded memory: sorted runs in an unnamed file, merged as they are asked for.
#include "dataset/sorted_paths.h"

#include <algorithm>

#include "base/path_parts.h"
#include "base/try.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

constexpr size_t kPieceBytes = size_t{32} << 10;

}  // namespace

Status SortedPaths::Add(std::string_view path) {
  if (!starts_.empty() &&
      bytes_.size() + path.size() + 1 + (starts_.size() + 1) * sizeof(uint32_t) > run_bytes_) {
    TRY(Spill());
  }
  starts_.push_back(static_cast<uint32_t>(bytes_.size()));
  bytes_ += path;
  bytes_ += '\0';
  return {};
}

void SortedPaths::SortMemory() {
  std::sort(starts_.begin(), starts_.end(), [this](uint32_t a, uint32_t b) {
    return std::string_view(bytes_.data() + a) < std::string_view(bytes_.data() + b);
  });
}

Status SortedPaths::Spill() {
  SortMemory();
  if (!file_.fd.valid()) {
    NamelessFile made = TRY(OpenTemporaryFile(Stage::kWrite));
    file_ = std::move(made);
  }
  const uint64_t from = file_size_;
  std::string piece;
  for (size_t i = 0; i < starts_.size(); ++i) {
    piece += bytes_.data() + starts_[i];
    piece += '\0';
    if (piece.size() < kPieceBytes && i + 1 < starts_.size()) continue;
    if (!WriteFull(file_.fd.get(), piece.data(), piece.size())) {
      return TemporaryFileError(Stage::kWrite, errno, "write", file_.folder);
    }
    file_size_ += piece.size();
    piece.clear();
  }
  runs_.push_back({from, file_size_, {}, 0, {}});
  bytes_.clear();
  starts_.clear();
  return {};
}

/// Moves `run` to its next path; false at its end.
Result<bool> SortedPaths::Advance(Run& run) {
  run.head.clear();
  while (true) {
    const size_t end = run.piece.find('\0', run.used);
    if (end != std::string::npos) {
      run.head.append(run.piece, run.used, end - run.used);
      run.used = end + 1;
      return true;
    }
    run.head.append(run.piece, run.used);
    run.used = 0;
    const size_t want = static_cast<size_t>(std::min<uint64_t>(kPieceBytes, run.end - run.at));
    run.piece.resize(want);
    if (want == 0) {
      run.piece.shrink_to_fit();
      return false;
    }
    ssize_t got = ::pread(file_.fd.get(), run.piece.data(), want, static_cast<off_t>(run.at));
    while (got < 0 && errno == EINTR)
      got = ::pread(file_.fd.get(), run.piece.data(), want, static_cast<off_t>(run.at));
    if (got <= 0) return ErrnoError(Stage::kList, got < 0 ? errno : EIO, "read the sorted list back");
    run.piece.resize(static_cast<size_t>(got));
    run.at += static_cast<uint64_t>(got);
  }
}

Status SortedPaths::Finish() {
  if (runs_.empty()) {
    SortMemory();
    return {};
  }
  if (!starts_.empty()) {
    TRY(Spill());
  }
  bytes_.shrink_to_fit();
  starts_.shrink_to_fit();
  for (size_t i = 0; i < runs_.size(); ++i) {
    bool any = TRY(Advance(runs_[i]));
    if (any) heap_.push_back(i);
  }
  const auto later = [this](size_t a, size_t b) { return runs_[a].head > runs_[b].head; };
  std::make_heap(heap_.begin(), heap_.end(), later);
  return {};
}

Result<std::optional<std::string>> SortedPaths::Next() {
  const auto later = [this](size_t a, size_t b) { return runs_[a].head > runs_[b].head; };
  while (true) {
    std::string path;
    if (next_in_memory_ < starts_.size()) {
      path = bytes_.data() + starts_[next_in_memory_++];
    } else if (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), later);
      Run& run = runs_[heap_.back()];
      path = run.head;
      bool more = TRY(Advance(run));
      if (more) {
        std::push_heap(heap_.begin(), heap_.end(), later);
      } else {
        heap_.pop_back();
      }
    } else {
      return std::optional<std::string>();
    }
    if (any_ && path == last_) continue;
    any_ = true;
    last_ = path;
    return std::optional<std::string>(std::move(path));
  }
}

}  // namespace imgmill
