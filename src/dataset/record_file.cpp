// Appends in pieces, reads in pieces.
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/temporary_file.h"
#include "base/try.h"
#include "imgmill/dataset/record_table.h"

namespace imgmill {

struct RecordFile::Spilled {
  NamelessFile file;
};

RecordFile::RecordFile() = default;
RecordFile::~RecordFile() = default;

void RecordFile::Add(std::string_view record) {
  if (count_++ % kRowsPerMark == 0) marks_.push_back(bytes());
  const auto length = static_cast<uint32_t>(record.size());
  pending_.append(reinterpret_cast<const char*>(&length), sizeof length).append(record);
  if (pending_.size() >= kPieceBytes) Spill();
}

void RecordFile::Spill() {
  if (status_ && !spilled_) {
    Result<NamelessFile> file = OpenTemporaryFile(Stage::kWrite);
    if (file) {
      spilled_ = std::make_unique<Spilled>(Spilled{*std::move(file)});
    } else {
      status_ = file.error();
    }
  }
  // The file is written from its start to its end and read with pread: its own offset is its end.
  if (status_ && !WriteFull(spilled_->file.fd.get(), pending_.data(), pending_.size()))
    status_ = TemporaryFileError(Stage::kWrite, errno, "write", spilled_->file.folder);
  spilled_bytes_ += pending_.size();
  pending_.clear();
}

Status RecordFile::ReadAt(uint64_t at, char* to, size_t bytes) const {
  if (!status_) return status_;
  if (at < spilled_bytes_) {
    const size_t there = std::min<uint64_t>(bytes, spilled_bytes_ - at);
    TRY(spilled_->file.ReadAt(Stage::kReduce, to, there, at));
    at += there;
    to += there;
    bytes -= there;
  }
  if (bytes > 0) std::memcpy(to, pending_.data() + (at - spilled_bytes_), bytes);
  return {};
}

Result<std::string> RecordFile::At(uint64_t row) const {
  constexpr size_t kFewRecords = 4096;
  Reader reader(*this, row / kRowsPerMark * kRowsPerMark, kFewRecords);
  std::string_view record;
  for (uint64_t skipped = 0; skipped <= row % kRowsPerMark; ++skipped) {
    if (const Result<bool> more = reader.Next(record); !more) return more.error();
  }
  return std::string(record);
}

RecordFile::Reader::Reader(const RecordFile& file, uint64_t row, size_t piece_bytes)
    : file_(file), piece_bytes_(piece_bytes) {
  piece_at_ = row < file.count_ ? file.marks_[row / kRowsPerMark] : file.bytes();
}

/// Has so many unread bytes in the piece.
Status RecordFile::Reader::Have(size_t bytes) {
  if (piece_.size() - used_ >= bytes) return {};
  piece_at_ += used_;
  piece_.erase(0, used_);
  used_ = 0;
  const size_t had = piece_.size();
  const uint64_t left = file_.bytes() - piece_at_;
  piece_.resize(std::min<uint64_t>(left, std::max(bytes, piece_bytes_)));
  return file_.ReadAt(piece_at_ + had, piece_.data() + had, piece_.size() - had);
}

Result<bool> RecordFile::Reader::Next(std::string_view& record) {
  if (!file_.status_) return file_.status_.error();
  if (piece_at_ + used_ == file_.bytes()) return false;
  uint32_t length = 0;
  TRY(Have(sizeof length));
  std::memcpy(&length, piece_.data() + used_, sizeof length);
  TRY(Have(sizeof length + length));
  record = std::string_view(piece_).substr(used_ + sizeof length, length);
  used_ += sizeof length + length;
  return true;
}

}  // namespace imgmill
