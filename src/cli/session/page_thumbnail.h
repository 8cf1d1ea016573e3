// Thumbnails for the report page: made of rows that the run reads anyway, else of the file when the page is
// written.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "imgmill/catalog/catalog.h"
#include "imgmill/engine/operation.h"

namespace imgmill {

/// A small JPEG of an image, kept in the catalog as a fact of its content, so that no later run needs to
/// decode it for that.
class PageThumbnails final : public RowObserver {
 public:
  /// So many of the images have one: they are most of what the page's file holds.
  static constexpr uint64_t kImages = 500;

  PageThumbnails(Catalog& catalog, MemoryManager& memory) : catalog_(catalog), memory_(memory) {}

  Footprint Cost(const Item& item, const ReadOptions& reading, const Layout& rows) const override;
  std::unique_ptr<ItemTask> Watch(const Item& item, const ReadOptions& reading, const Layout& rows) override;

  /// As a data: URI; empty where the file cannot be read, or memory is short: a page without a thumbnail is a
  /// page.
  std::string Of(const std::string& path);

 private:
  class Task;

  Catalog& catalog_;
  MemoryManager& memory_;
};

}  // namespace imgmill
