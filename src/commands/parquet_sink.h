// A Parquet table that is written into a growing file.
#pragma once

#include "growing_file.h"
#include "imgmill/tables/parquet_writer.h"

namespace imgmill {

/// @param file  outlives the sink
inline ParquetWriter::Sink Into(GrowingFile& file) {
  return [&file](const void* data, size_t bytes) { return file.Write(data, bytes); };
}

}  // namespace imgmill
