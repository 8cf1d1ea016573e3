// Vectors of many lists in a temporary file, each list in one piece.
#pragma once

#include <cerrno>
#include <mutex>
#include <span>

#include "base/mapped_piece.h"
#include "base/temporary_file.h"
#include "base/try.h"
#include "imgmill/memory/pool_array.h"
#include "similarity/row_windows.h"
#include "similarity/vector_lists.h"

namespace imgmill {

/// The vectors of some elements (classes of equal ones), and which lie in which list.
class ListFile {
 public:
  /// Sorts the elements into lists and copies their vectors. @throws OutOfMemory
  /// @param elements  0 .. elements.size() - 1 in order of row
  /// @param row_of  an element's row
  template <typename RowOf>
  Status Fill(const VectorRows& rows, std::span<const uint32_t> elements, const RowOf& row_of,
              const Centroids& centroids, int threads, const StopFlag& stop);

  /// Of an element and the place where its vector lies, and of a list and the place where it begins.
  static size_t Bytes(size_t elements, size_t lists, int threads) {
    return elements * 3 * sizeof(uint32_t) + (lists + 1) * sizeof(uint32_t) + AssigningBytes(lists, threads);
  }

  /// Elements by place.
  std::span<const uint32_t> elements() const { return element_at_.span(); }
  uint32_t begin_of(size_t list) const { return begin_[list]; }
  uint32_t end_of(size_t list) const { return begin_[list + 1]; }

  /// see(vectors) of `count` places, which are mapped for the time of the call. It must not throw.
  template <typename See>
  Status View(size_t first, size_t count, const See& see) const {
    const MappedPiece piece(file_.fd.get(), first * row_bytes_, count * row_bytes_);
    if (!piece.valid()) return TemporaryFileError(Stage::kReduce, errno, "read", file_.folder);
    see(reinterpret_cast<const float*>(piece.data()));
    return {};
  }
  /// Copies an element's vector.
  Status Read(uint32_t element, float* to) const {
    return file_.ReadAt(Stage::kReduce, to, row_bytes_, place_of_[element] * row_bytes_);
  }

 private:
  NamelessFile file_;
  size_t row_bytes_ = 0;
  PoolArray<uint32_t> element_at_, place_of_, begin_;
};

template <typename RowOf>
Status ListFile::Fill(const VectorRows& rows, std::span<const uint32_t> elements, const RowOf& row_of,
                      const Centroids& centroids, int threads, const StopFlag& stop) {
  NamelessFile made = TRY(OpenTemporaryFile(Stage::kReduce));
  file_ = std::move(made);
  row_bytes_ = static_cast<size_t>(rows.dimension) * sizeof(float);
  const size_t lists = centroids.count();
  element_at_ = PoolArray<uint32_t>(elements.size());
  place_of_ = PoolArray<uint32_t>(elements.size());
  begin_ = PoolArray<uint32_t>(lists + 1);
  PoolArray<uint32_t> list_of(elements.size());
  TRY(AssignLists(rows, elements, row_of, centroids, threads, stop, list_of.span()));
  // A counting sort: begin_ becomes each list's end, and its begin while its elements get their places.
  begin_.Fill(0);
  for (const uint32_t list : list_of) ++begin_[list];
  for (size_t list = 1; list <= lists; ++list) begin_[list] += begin_[list - 1];
  for (size_t i = elements.size(); i-- > 0;) {
    const uint32_t element = elements[i];
    const uint32_t place = --begin_[list_of[element]];
    element_at_[place] = element;
    place_of_[element] = place;
  }
  std::mutex mutex;
  Status written;
  TRY(VisitRows(rows, elements, threads, stop, row_of,
                [&](int, std::span<const uint32_t> some, const float* const* vectors) {
                  for (size_t r = 0; r < some.size(); ++r) {
                    Status put = file_.WriteAt(Stage::kReduce, vectors[r], row_bytes_,
                                               place_of_[some[r]] * row_bytes_);
                    if (put) continue;
                    const std::lock_guard lock(mutex);
                    if (written) written = put;
                  }
                }));
  return written;
}

}  // namespace imgmill
