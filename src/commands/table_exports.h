// Vectors for programs that read tables: NumPy, Parquet, and the folder that clip-retrieval reads.
#pragma once

#include <memory>
#include <string>

#include "commands/embed/vector_export.h"
#include "growing_file.h"
#include "imgmill/memory/memory_manager.h"
#include "imgmill/tables/parquet_writer.h"

namespace imgmill {

/// Where clip-retrieval has the vectors and the images' paths of its first part, below its folder.
/// Source: clip_retrieval/clip_inference/writer.py, github.com/rom1504/clip-retrieval.
inline constexpr char kClipVectors[] = "img_emb/img_emb_0.npy";
inline constexpr char kClipNames[] = "metadata/metadata_0.parquet";

/// float32 rows, and a line for each with its path.
std::unique_ptr<VectorExport> MakeNumpyExport(std::unique_ptr<GrowingFile> rows,
                                              std::unique_ptr<GrowingFile> paths);
/// float16 rows, and a Parquet file with the column "image_path". @param lease  what a ParquetWriter holds
std::unique_ptr<VectorExport> MakeClipExport(std::unique_ptr<GrowingFile> rows,
                                             std::unique_ptr<GrowingFile> names, Lease lease);
/// Columns "path", "content" and "vector". @param kind  goes into the file's notes
std::unique_ptr<VectorExport> MakeParquetExport(std::unique_ptr<GrowingFile> file, const std::string& kind,
                                                Lease lease);

}  // namespace imgmill
