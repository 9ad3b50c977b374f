using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Engine.Kernels;

/// <summary>
/// Operations of tensors with numbers. TorchSharp makes a native object of every number and keeps nothing but its address
/// during the call: the garbage collector may free it while libtorch still reads it, which ends in an exception or, worse, in
/// another number. These hold on to it until the operation is over. A sum has one of its own accord: the factor 1.
/// </summary>
internal static class NumberOps
{
    /// <summary>Never collected.</summary>
    private static readonly Scalar One = 1;

    /// <summary>total += value, in place.</summary>
    public static Tensor AddTensor_(this Tensor total, Tensor value) => total.add_(value, One);

    /// <summary>total += factor · value, in place.</summary>
    public static Tensor AddTensor_(this Tensor total, Tensor value, double factor)
    {
        using Scalar scalar = factor;
        return total.add_(value, scalar);
    }

    /// <summary>tensor + value.</summary>
    public static Tensor AddTensor(this Tensor tensor, Tensor value) => tensor.add(value, One);

    /// <summary>tensor + factor · value.</summary>
    public static Tensor AddTensor(this Tensor tensor, Tensor value, double factor)
    {
        using Scalar scalar = factor;
        return tensor.add(value, scalar);
    }

    /// <summary>total[indices[i]] += values[i], in place.</summary>
    public static Tensor AddRows_(this Tensor total, Tensor indices, Tensor values) => total.index_add_(0, indices, values, One);

    /// <summary>tensor, with values[i] added to row indices[i].</summary>
    public static Tensor AddRows(this Tensor tensor, Tensor indices, Tensor values) => tensor.index_add(0, indices, values, One);

    /// <summary>total += factor · left ∘ right, in place.</summary>
    public static Tensor AddProduct_(this Tensor total, Tensor left, Tensor right, double factor)
    {
        using Scalar scalar = factor;
        return total.addcmul_(left, right, scalar);
    }

    /// <summary>total += factor · left ∕ right, in place.</summary>
    public static Tensor AddQuotient_(this Tensor total, Tensor left, Tensor right, double factor)
    {
        using Scalar scalar = factor;
        return total.addcdiv_(left, right, scalar);
    }

    /// <summary>Every element plus the number, in place.</summary>
    public static Tensor AddNumber_(this Tensor tensor, double number)
    {
        using Scalar scalar = number;
        return tensor.add_(scalar, One);
    }

    /// <summary>Every element plus the number.</summary>
    public static Tensor AddNumber(this Tensor tensor, double number)
    {
        using Scalar scalar = number;
        return tensor.add(scalar, One);
    }

    /// <summary>Every element times the number, in place.</summary>
    public static Tensor MultiplyNumber_(this Tensor tensor, double number)
    {
        using Scalar scalar = number;
        return tensor.mul_(scalar);
    }

    /// <summary>Every element of whole numbers times the number, in place.</summary>
    public static Tensor MultiplyWhole_(this Tensor tensor, long number)
    {
        using Scalar scalar = number;
        return tensor.mul_(scalar);
    }

    /// <summary>Every element times the number.</summary>
    public static Tensor MultiplyNumber(this Tensor tensor, double number)
    {
        using Scalar scalar = number;
        return tensor.mul(scalar);
    }

    /// <summary>Every element divided by the number, in place.</summary>
    public static Tensor DivideNumber_(this Tensor tensor, double number)
    {
        using Scalar scalar = number;
        return tensor.div_(scalar);
    }

    /// <summary>Every element divided by the number.</summary>
    public static Tensor DivideNumber(this Tensor tensor, double number)
    {
        using Scalar scalar = number;
        return tensor.div(scalar);
    }

    /// <summary>How often the number goes into every element of whole numbers.</summary>
    public static Tensor DivideWhole(this Tensor tensor, long number)
    {
        using Scalar scalar = number;
        return tensor.div(scalar, RoundingMode.floor);
    }

    /// <summary>What that leaves.</summary>
    public static Tensor Remainder(this Tensor tensor, long number)
    {
        using Scalar scalar = number;
        return tensor.remainder(scalar);
    }

    /// <summary>Every element between the bounds.</summary>
    public static Tensor Between(this Tensor tensor, double least, double most)
    {
        using Scalar low = least;
        using Scalar high = most;
        return tensor.clamp(low, high);
    }

    /// <summary>Every element, or the bound where it is greater.</summary>
    public static Tensor AtMost(this Tensor tensor, double most)
    {
        using Scalar bound = most;
        return tensor.clamp_max(bound);
    }

    /// <summary>Where an element is less than the number.</summary>
    public static Tensor IsLess(this Tensor tensor, double number)
    {
        using Scalar scalar = number;
        return tensor.lt(scalar);
    }

    /// <summary>Every element becomes the number, in place.</summary>
    public static Tensor Fill_(this Tensor tensor, double number)
    {
        using Scalar scalar = number;
        return tensor.fill_(scalar);
    }

    /// <summary>The elements under the mask become the number, in place.</summary>
    public static Tensor Fill_(this Tensor tensor, Tensor mask, double number)
    {
        using Scalar scalar = number;
        return tensor.masked_fill_(mask, scalar);
    }

    /// <summary>int64 [count]: start, start + 1, …</summary>
    public static Tensor Range(long start, long count, Device device)
    {
        using Scalar first = start;
        using Scalar end = start + count;
        using Scalar step = 1L;
        return arange(first, end, step, ScalarType.Int64, device);
    }

    /// <summary>A tensor full of the number.</summary>
    public static Tensor Filled(long[] shape, double number, ScalarType dtype, Device device)
    {
        using Scalar scalar = number;
        return full(shape, scalar, dtype, device);
    }
}
