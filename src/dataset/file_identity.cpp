// The stamp and the digest of a file, read in chunks so that its size does not matter to memory.
#include "imgmill/dataset/file_identity.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <xxhash.h>

#include <algorithm>
#include <memory>

#include "base/unique_fd.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

constexpr size_t kChunkBytes = size_t{256} << 10;

ContentDigest FromHash(XXH128_hash_t hash) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  ContentDigest digest;
  std::copy(std::begin(canonical.digest), std::end(canonical.digest), digest.bytes.begin());
  return digest;
}

Status CheckRegular(const struct stat& info, Stage stage) {
  if (S_ISREG(info.st_mode)) return {};
  const bool folder = S_ISDIR(info.st_mode);
  return Error{stage, Code::kUnsupported, folder ? "it is a folder" : "it is no regular file"};
}

}  // namespace

std::string ContentDigest::Hex() const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::optional<ContentDigest> ContentDigest::FromHex(std::string_view hex) {
  ContentDigest digest;
  if (hex.size() != 2 * digest.bytes.size()) return std::nullopt;
  for (size_t i = 0; i < hex.size(); ++i) {
    const char c = hex[i];
    int value = -1;
    if (c >= '0' && c <= '9') value = c - '0';
    if (c >= 'a' && c <= 'f') value = c - 'a' + 10;
    if (value < 0) return std::nullopt;
    digest.bytes[i / 2] = static_cast<uint8_t>(digest.bytes[i / 2] << 4 | value);
  }
  return digest;
}

FileStamp StampFrom(const struct stat& info) {
  const auto nanoseconds = [](const timespec& time) {
    return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  };
  return {info.st_size, nanoseconds(info.st_mtim), nanoseconds(info.st_ctim), info.st_ino};
}

Result<FileStamp> StampOf(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return ErrnoError(Stage::kProbe, errno, "stat");
  if (Status regular = CheckRegular(info, Stage::kProbe); !regular) return regular.error();
  return StampFrom(info);
}

Result<ContentDigest> DigestOf(const std::string& path) {
  // Without O_NONBLOCK, opening a named pipe would wait for its writer for ever.
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) return ErrnoError(Stage::kDecode, errno, "open");
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return ErrnoError(Stage::kDecode, errno, "stat");
  if (Status regular = CheckRegular(info, Stage::kDecode); !regular) return regular.error();

  // read(), not mmap: mapped pages would count as memory that this process holds. One byte more than the
  // size, so that a small file is known to be at its end after one read.
  const size_t chunk = std::min(kChunkBytes, static_cast<size_t>(info.st_size) + 1);
  const std::unique_ptr<char[]> buffer(new char[chunk]);
  ssize_t got = ReadFull(file.get(), buffer.get(), chunk);
  if (got < 0) return ErrnoError(Stage::kDecode, errno, "read");
  if (static_cast<size_t>(got) < chunk) return DigestOfBytes(buffer.get(), static_cast<size_t>(got));

  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), &XXH3_freeState);
  if (!state) return Error{Stage::kDecode, Code::kOutOfMemory, "no memory for the digest's state"};
  XXH3_128bits_reset(state.get());
  while (got > 0) {
    XXH3_128bits_update(state.get(), buffer.get(), static_cast<size_t>(got));
    got = ReadFull(file.get(), buffer.get(), chunk);
    if (got < 0) return ErrnoError(Stage::kDecode, errno, "read");
  }
  return FromHash(XXH3_128bits_digest(state.get()));
}

ContentDigest DigestOfBytes(const void* data, size_t size) {
  return FromHash(XXH3_128bits(data, size));
}

}  // namespace imgmill
