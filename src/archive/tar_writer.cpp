// Headers of 512 bytes, contents padded to as much.
#include "archive/tar_writer.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "archive/tar_format.h"
#include "base/try.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

using tar::Field, tar::Header, tar::kBlock, tar::kChecksum, tar::kName, tar::kPrefix, tar::PaddingOf;

/// What eleven octal digits hold.
constexpr uint64_t kMostBytes = (uint64_t{1} << 33) - 1;

void PutText(Header& header, Field field, std::string_view text) {
  std::memcpy(header.data() + field.at, text.data(), std::min(text.size(), field.bytes));
}
/// Octal digits, and a NUL behind them.
void PutNumber(Header& header, Field field, uint64_t value) {
  for (size_t i = field.bytes - 1; i-- > 0; value /= 8)
    header[field.at + i] = static_cast<char>('0' + value % 8);
}

/// A name as ustar has it: what is before a slash goes into another field. Nothing if it is too long.
std::optional<std::pair<std::string_view, std::string_view>> SplitName(std::string_view name) {
  if (name.size() <= kName.bytes) return std::pair(std::string_view(), name);
  for (size_t slash = name.find('/'); slash <= kPrefix.bytes; slash = name.find('/', slash + 1)) {
    if (slash > 0 && name.size() - slash - 1 <= kName.bytes)
      return std::pair(name.substr(0, slash), name.substr(slash + 1));
  }
  return std::nullopt;
}

Header MakeHeader(std::string_view prefix, std::string_view name, uint64_t size, char type) {
  Header header{};
  PutText(header, kName, name);
  PutNumber(header, tar::kMode, 0644);
  PutNumber(header, tar::kOwner, 0);
  PutNumber(header, tar::kGroup, 0);
  PutNumber(header, tar::kSize, size);
  PutNumber(header, tar::kTime, 0);
  PutText(header, tar::kType, {&type, 1});
  PutText(header, tar::kMagic, std::string_view("ustar\00000", 8));
  PutText(header, kPrefix, prefix);
  PutText(header, kChecksum, "        ");
  PutNumber(header, {kChecksum.at, 7}, tar::ChecksumOf(header));
  return header;
}

/// A record of a pax header: "LENGTH KEY=VALUE\n", where the length counts its own digits.
std::string PaxRecord(std::string_view key, std::string_view value) {
  const size_t rest = key.size() + value.size() + 3;
  size_t length = rest + 1;
  while (length != rest + std::to_string(length).size()) length = rest + std::to_string(length).size();
  return std::to_string(length) + " " + std::string(key) + "=" + std::string(value) + "\n";
}

/// What has no room in the header; empty for most.
std::string PaxRecords(std::string_view name, uint64_t size) {
  std::string records;
  if (!SplitName(name)) records += PaxRecord("path", name);
  if (size > kMostBytes) records += PaxRecord("size", std::to_string(size));
  return records;
}

}  // namespace

uint64_t TarWriter::MemberBytes(std::string_view name, uint64_t size) {
  const size_t pax = PaxRecords(name, size).size();
  const uint64_t before = pax > 0 ? kBlock + pax + PaddingOf(pax) : 0;
  return before + kBlock + size + PaddingOf(size);
}

Status TarWriter::Begin(std::string_view name, uint64_t size) {
  assert(member_left_ == 0 && padding_ == 0);
  const std::string pax = PaxRecords(name, size);
  if (!pax.empty()) {
    constexpr char kPaxType = 'x';
    const Header header = MakeHeader({}, "pax", pax.size(), kPaxType);
    TRY(Put(header.data(), header.size()));
    TRY(Put(pax.data(), pax.size()));
    const Header nothing{};
    TRY(Put(nothing.data(), PaddingOf(pax.size())));
  }
  // What a reader that knows no pax sees of a long name is its end.
  const auto parts = SplitName(name).value_or(
      std::pair(std::string_view(), name.substr(name.size() - std::min(name.size(), kName.bytes))));
  constexpr char kFileType = '0';
  const Header header = MakeHeader(parts.first, parts.second, size > kMostBytes ? 0 : size, kFileType);
  member_left_ = size;
  padding_ = PaddingOf(size);
  return Put(header.data(), header.size());
}

Status TarWriter::Write(const void* data, size_t bytes) {
  assert(bytes <= member_left_);
  member_left_ -= bytes;
  return Put(data, bytes);
}

Status TarWriter::End() {
  assert(member_left_ == 0);
  const Header nothing{};
  return Put(nothing.data(), std::exchange(padding_, 0));
}

Status TarWriter::CutTo(uint64_t bytes) {
  member_left_ = padding_ = 0;
  written_ = bytes;
  if (std::fflush(file_) != 0 || ::ftruncate(::fileno(file_), static_cast<off_t>(written_)) != 0 ||
      ::fseeko(file_, static_cast<off_t>(written_), SEEK_SET) != 0)
    return Failed();
  return {};
}

Status TarWriter::Finish() {
  const std::array<char, kEndBytes> end{};
  return Put(end.data(), end.size());
}

Status TarWriter::Put(const void* data, size_t bytes) {
  written_ += bytes;
  return std::fwrite(data, 1, bytes, file_) == bytes ? Status() : Failed();
}

Error TarWriter::Failed() const {
  return ErrnoError(Stage::kWrite, errno, PrintablePath(path_));
}

}  // namespace imgmill
