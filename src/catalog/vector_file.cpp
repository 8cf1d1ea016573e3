// Header, appends at the end by pwrite, windows by mmap.
#include "imgmill/catalog/vector_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "base/lenient_mark.h"
#include "base/mapped_piece.h"
#include "base/temporary_file.h"
#include "base/try.h"
#include "base/unique_fd.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/file_identity.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

constexpr size_t kHeaderBytes = 4096;
constexpr char kEnding[] = ".vec";
constexpr size_t kLongestKind = 2000;
constexpr int kLargestDimension = 1 << 20;
constexpr char kMagic[8] = {'I', 'M', 'G', 'M', 'V', 'E', 'C', '\1'};

struct Header {
  char magic[8];
  uint32_t dimension;
  uint32_t kind_bytes;
  char kind[kLongestKind];
  uint64_t checksum;  // of all above
};
static_assert(sizeof(Header) <= kHeaderBytes);

uint64_t Checksum(const void* data, size_t bytes) {
  const ContentDigest digest = DigestOfBytes(data, bytes);
  uint64_t sum = 0;
  std::memcpy(&sum, digest.bytes.data(), sizeof sum);
  return sum;
}

bool IsWhole(const Header& header) {
  return std::memcmp(header.magic, kMagic, sizeof kMagic) == 0 &&
         header.checksum == Checksum(&header, offsetof(Header, checksum)) &&
         header.kind_bytes <= kLongestKind && header.dimension > 0 &&
         header.dimension <= static_cast<uint32_t>(kLargestDimension);
}

Status WriteAll(int fd, const void* data, size_t bytes, uint64_t offset, const std::string& path) {
  const char* from = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t written = ::pwrite(fd, from, bytes, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoError(Stage::kCatalog, errno, PrintablePath(path));
    from += written;
    offset += static_cast<uint64_t>(written);
    bytes -= static_cast<size_t>(written);
  }
  return {};
}

/// @return how many bytes there were
Result<size_t> ReadSome(int fd, void* data, size_t bytes, uint64_t offset, const std::string& path) {
  size_t done = 0;
  while (done < bytes) {
    const ssize_t got =
        ::pread(fd, static_cast<char*>(data) + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return Error{Stage::kCatalog, Code::kReadError, PrintablePath(path) + ": " + ErrnoText(errno)};
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

}  // namespace

Result<std::unique_ptr<VectorFile>> VectorFile::Open(const std::string& catalog_folder,
                                                     const std::string& kind, int dimension) {
  if (kind.size() > kLongestKind || dimension < 0 || dimension > kLargestDimension) {
    return Error{Stage::kCatalog, Code::kUnsupported,
                 "vectors of " + std::to_string(dimension) + " floats cannot be kept"};
  }
  if (!catalog_folder.empty()) {
    if (dimension > 0) TRY(MakeFolders(catalog_folder + "/vectors"));
    return OpenAt(PathOf(catalog_folder, kind), kind, dimension);
  }
  if (dimension == 0) return std::unique_ptr<VectorFile>();
  NamelessFile made = TRY(OpenTemporaryFile(Stage::kCatalog));
  std::unique_ptr<VectorFile> file(new VectorFile(made.fd.Release(), "the temporary vector file"));
  TRY(file->Prepare(kind, dimension));
  return file;
}

std::string VectorFile::PathOf(const std::string& catalog_folder, const std::string& kind) {
  return catalog_folder + "/vectors/" + DigestOfBytes(kind.data(), kind.size()).Hex().substr(0, 16) + kEnding;
}

Result<std::unique_ptr<VectorFile>> VectorFile::OpenAt(const std::string& path, const std::string& kind,
                                                       int dimension) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | (dimension > 0 ? O_CREAT : 0), 0666);
  if (fd < 0 && errno == ENOENT && dimension == 0) return std::unique_ptr<VectorFile>();
  if (fd < 0) return ErrnoError(Stage::kCatalog, errno, PrintablePath(path));
  std::unique_ptr<VectorFile> file(new VectorFile(fd, path));
  TRY(file->Prepare(kind, dimension));
  if (file->dimension_ == 0) file.reset();  // made by a run that was killed before it wrote the header
  return file;
}

std::vector<std::pair<std::string, int>> VectorFile::KindsIn(const std::string& catalog_folder) {
  std::vector<std::pair<std::string, int>> kinds;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(catalog_folder + "/vectors", none)) {
    if (!entry.path().native().ends_with(kEnding)) continue;  // one that is being written anew
    const UniqueFd fd(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
    Header header = {};
    if (!fd.valid()) continue;
    const Result<size_t> got = ReadSome(fd.get(), &header, sizeof header, 0, entry.path().string());
    if (got && *got == sizeof header && IsWhole(header))
      kinds.emplace_back(std::string(header.kind, header.kind_bytes), static_cast<int>(header.dimension));
  }
  std::sort(kinds.begin(), kinds.end());
  return kinds;
}

VectorFile::~VectorFile() {
  ::close(fd_);
}

Status VectorFile::Prepare(const std::string& kind, int dimension) {
  struct stat status = {};
  if (::fstat(fd_, &status) != 0) return ErrnoError(Stage::kCatalog, errno, PrintablePath(path_));
  const auto size = static_cast<uint64_t>(status.st_size);
  if (size < kHeaderBytes) {  // new, or killed or out of space before the first row
    if (dimension == 0) return {};
    Header header = {};
    std::memcpy(header.magic, kMagic, sizeof kMagic);
    header.dimension = static_cast<uint32_t>(dimension);
    header.kind_bytes = static_cast<uint32_t>(kind.size());
    std::memcpy(header.kind, kind.data(), kind.size());
    header.checksum = Checksum(&header, offsetof(Header, checksum));
    std::vector<char> page(kHeaderBytes);
    std::memcpy(page.data(), &header, sizeof header);
    if (Status written = WriteAll(fd_, page.data(), page.size(), 0, path_); !written) {
      if (::ftruncate(fd_, 0) != 0) return written;  // the next Open writes it again either way
      return written;
    }
    dimension_ = dimension;
    return {};
  }
  Header header = {};
  TRY(ReadSome(fd_, &header, sizeof header, 0, path_));
  const bool whole = IsWhole(header) && std::string_view(header.kind, header.kind_bytes) == kind &&
                     (dimension == 0 || header.dimension == static_cast<uint32_t>(dimension));
  if (!whole) {
    return Error{Stage::kCatalog, Code::kMalformed,
                 PrintablePath(path_) + " is damaged (delete it: its vectors are computed again)"};
  }
  dimension_ = static_cast<int>(header.dimension);
  rows_ = (size - kHeaderBytes) / row_bytes();
  return {};
}

Result<VectorFile::Place> VectorFile::Append(std::span<const float> vector) {
  if (vector.size() != static_cast<size_t>(dimension_)) {
    return Error{
        Stage::kCatalog, Code::kInternal,
        "a vector of " + std::to_string(vector.size()) + " floats for rows of " + std::to_string(dimension_)};
  }
  const std::lock_guard lock(append_mutex_);
  const uint64_t row = rows_;
  // Over what a killed or refused append has left of a row.
  TRY(WriteAll(fd_, vector.data(), row_bytes(), kHeaderBytes + row * row_bytes(), path_));
  ++rows_;
  return Place{row, ChecksumOf(vector)};
}

uint64_t VectorFile::ChecksumOf(std::span<const float> vector) {
  return Checksum(vector.data(), vector.size_bytes());
}

Status VectorFile::Sync() const {
  return ::fsync(fd_) == 0 ? Status() : Status(ErrnoError(Stage::kCatalog, errno, PrintablePath(path_)));
}

Status VectorFile::Read(const Place& place, std::span<float> vector) const {
  const Error damaged{Stage::kCatalog, Code::kMalformed, PrintablePath(path_) + " has lost a vector"};
  if (place.row >= rows_ || vector.size() != static_cast<size_t>(dimension_)) return damaged;
  size_t got = TRY(ReadSome(fd_, vector.data(), row_bytes(), kHeaderBytes + place.row * row_bytes(), path_));
  if (got != row_bytes() || ChecksumOf(vector) != place.checksum) return damaged;
  return {};
}

Status VectorFile::View(uint64_t first, uint64_t count, const std::function<void(const float*)>& see) const {
  struct stat status = {};
  if (::fstat(fd_, &status) != 0) return ErrnoError(Stage::kCatalog, errno, PrintablePath(path_));
  const uint64_t begin = kHeaderBytes + first * row_bytes();
  const uint64_t end = begin + count * row_bytes();
  if (end > static_cast<uint64_t>(status.st_size)) {  // to read a mapping beyond the end is a SIGBUS
    return Error{Stage::kCatalog, Code::kMalformed, PrintablePath(path_) + " has become shorter"};
  }
  const MappedPiece piece(fd_, begin, end - begin);
  if (!piece.valid()) return ErrnoError(Stage::kCatalog, errno, PrintablePath(path_));
  see(reinterpret_cast<const float*>(piece.data()));
  return {};
}

std::string VectorFact(const std::string& kind, bool lenient) {
  // What was imported is not made of a file's pixels, so that no other way of reading them makes it anew.
  const bool imported = kind.starts_with("imported/");
  return ("vector/1 " + kind).append(imported ? (lenient ? " lenient" : "") : LenientMark(lenient));
}

}  // namespace imgmill
